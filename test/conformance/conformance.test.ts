import { describe, expect, it } from 'vitest';
import { REQUIREMENTS } from './requirements.mjs';
import { runScenario } from './run-scenario.mjs';
import { prepareSuite } from './suite.mjs';

/** Some wait for their turn. */
const TIMEOUT_MS = 180_000;

// Node 24 and the suite come from the registry, once.
const missing = await prepareSuite();

if (missing !== undefined) {
  it.skip(`the official conformance suite, which cannot be run: ${missing}`);
} else {
  describe.each(Object.entries(REQUIREMENTS.client))(
    'what the official suite requires of a client at %s',
    (specVersion, scenarios) => {
      it.concurrent.each(scenarios)('%s', { timeout: TIMEOUT_MS }, async (scenario) => {
        const { failure, passed } = await runScenario({
          role: 'client',
          scenario,
          specVersion,
          required: true,
        });
        expect(failure).toBeUndefined();
        expect(passed).toBeGreaterThan(0);
      });
    },
  );
}
