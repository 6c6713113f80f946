import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoRedis } from '../cluster/support/redis-server.mjs';
import { tellWhatIsMissing } from '../interop/support/missing.ts';
import { REQUIREMENTS } from './requirements.mjs';
import { runScenario } from './run-scenario.mjs';
import { startConformanceCluster } from './server-cluster.mjs';
import { startConformanceServer, type ConformanceServer } from './server.mjs';
import { prepareSuite } from './suite.mjs';

/** Some wait for their turn. */
const TIMEOUT_MS = 180_000;

// Node 24 and the suite come from the registry, once.
const missing = await prepareSuite();
const noRedis = await whyNoRedis();
tellWhatIsMissing({ missing: noRedis });

/** The same server, alone and as three nodes behind a proxy that knows no sessions. */
const SERVERS: [string, () => Promise<ConformanceServer>][] = [
  ['one server', startConformanceServer],
];
if (noRedis === undefined) SERVERS.push(['three nodes', startConformanceCluster]);

if (missing !== undefined) {
  it.skip(`the official conformance suite, which cannot be run: ${missing}`);
} else {
  describe.each(SERVERS)('%s', (_name, start) => {
    let server: ConformanceServer;
    beforeAll(async () => {
      server = await start();
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
  });

  it('counts 30 and 37 requirements', () => {
    const counts = Object.values(REQUIREMENTS.server).map((scenarios) => new Set(scenarios).size);
    expect(counts).toEqual([30, 37]);
  });
}
