import { createFaultyProxy, createRandom } from '@longwire/testing';
import { describe, expect, test } from 'vitest';
import { expectNothingLeftOpen } from '../../support/open-handles.ts';
import { chooseSeed } from '../../chaos/seed.ts';
import { CALLERS, type Caller } from './support/callers.ts';
import { serveKit } from './support/serve-kit.ts';

expectNothingLeftOpen();

const CALLS = 2000;
const CUTS = 300;
/** A cut of the stream stops all of them: with more at a time there would be fewer cuts. */
const AT_A_TIME = 5;
/** Where in what passes a cut strikes: in the middle of an event, or several events later. */
const WITHIN_BYTES = 1024;
/** The stream is the oldest connection among many. */
const OLDEST_SHARE = 0.5;
const CUTS_ONLY = { reset: 1, finish: 1, 'half-close': 0, stall: 0, delay: 0, refuse: 0 };
const WRITE_SHARE = 0.5;
/** A run takes seconds where nothing hangs. */
const TIMEOUT_MS = 300_000;

const seed = chooseSeed(process.env['CHAOS_SEED']);

describe.for(CALLERS)('%s', ([, open]) => {
  test(
    `gets every result of ${CALLS} calls through ${CUTS} cuts (seed ${seed})`,
    { timeout: TIMEOUT_MS },
    async () => {
      await using kit = await serveKit({ retryMs: 5 });
      const faults = { weights: CUTS_ONLY };
      await using proxy = await createFaultyProxy({ target: kit.origin, seed, faults });
      await using caller = await open(proxy.origin);
      const random = createRandom(seed, 1);
      let begun = 0;
      let settled = 0;
      const wrong: string[] = [];

      /** Keeps the cuts in step with the calls. One that waits for its byte may never strike. */
      function cut(): void {
        const late = (CUTS * settled) / (CALLS * 0.95) - proxy.faultCount;
        if (late < 1 || proxy.faultCount >= CUTS) return;
        proxy.injectRandomFault({
          withinBytes: late > 2 ? 0 : WITHIN_BYTES,
          oldestShare: OLDEST_SHARE,
        });
      }

      async function callOn(): Promise<void> {
        while (begun < CALLS) {
          const key = String(begun++);
          const tool = random.chance(WRITE_SHARE) ? 'write' : 'read';
          const text = await outcomeOf(caller, tool, key);
          if (text !== `${tool}: ${key}`) wrong.push(`${tool} ${key}: ${text}`);
          settled += 1;
          cut();
        }
      }
      await Promise.all(Array.from({ length: AT_A_TIME }, callOn));

      expect(wrong).toEqual([]);
      expect(new Set(kit.runs).size).toBe(CALLS);
      expect(twiceIn(kit.runs)).toEqual([]);
      expect(proxy.faultCount).toBeGreaterThanOrEqual(CUTS);
    },
  );
});

function outcomeOf(caller: Caller, tool: 'read' | 'write', key: string): Promise<string> {
  return caller.call(tool, key).catch((error: unknown) => String(error));
}

function twiceIn(keys: readonly string[]): string[] {
  return keys.filter((key, at) => keys.indexOf(key) !== at);
}
