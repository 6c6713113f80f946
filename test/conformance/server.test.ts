import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REQUIREMENTS } from './requirements.mjs';
import { runScenario } from './run-scenario.mjs';
import { startConformanceServer, type ConformanceServer } from './server.mjs';
import { prepareSuite } from './suite.mjs';

/** Some wait for their turn. */
const TIMEOUT_MS = 180_000;

// Node 24 and the suite come from the registry, once.
const missing = await prepareSuite();

if (missing !== undefined) {
  it.skip(`the official conformance suite, which cannot be run: ${missing}`);
} else {
  let server: ConformanceServer;
  beforeAll(async () => {
    server = await startConformanceServer();
  });
  afterAll(() => server.close());

  // One server and one URL for both: what it speaks follows from the request.
  describe.each(Object.entries(REQUIREMENTS.server))(
    'what the official suite requires of a server at %s',
    (specVersion, scenarios) => {
      it.concurrent.each(scenarios)('%s', { timeout: TIMEOUT_MS }, async (scenario) => {
        const run = { role: 'server', scenario, specVersion, required: true } as const;
        const { failure, passed } = await runScenario(run, server.url);
        expect(failure).toBeUndefined();
        expect(passed).toBeGreaterThan(0);
      });
    },
  );

  it('counts 30 and 37 requirements', () => {
    const counts = Object.values(REQUIREMENTS.server).map((scenarios) => new Set(scenarios).size);
    expect(counts).toEqual([30, 37]);
  });
}
