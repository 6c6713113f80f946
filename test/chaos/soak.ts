/**
 * `npm run soak -- [--calls N] [--faults N] [--seed N] [--streams plain|resumable|both]`: the run of
 * the chaos test for longer. Exit code 0 if the promise held, 1 if not, 2 for wrong usage.
 */
import { parseArgs } from 'node:util';
import { runChaos } from './run-chaos.ts';
import { formatSummary } from './summary.ts';

const USAGE = `Usage: npm run soak -- [--calls N] [--faults N] [--seed N] [--streams KIND]

  --calls    how many calls are made (default 100000)
  --faults   how many faults strike connections meanwhile (default 10000)
  --seed     what all that is random follows from (default: any; it is printed)
  --streams  plain, resumable, or both, which is half of the calls each (default both)`;

/** A process that has nothing left to do and does not end has left something open. */
const ENDING_MS = 10_000;
const TELL_EVERY = 0.05;

function count(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new TypeError(`--${name} is a count, not ${text}`);
}

function readArguments(): { variants: boolean[]; calls: number; faults: number; seed?: number } {
  const { values } = parseArgs({
    options: {
      calls: { type: 'string', default: '100000' },
      faults: { type: 'string', default: '10000' },
      seed: { type: 'string' },
      streams: { type: 'string', default: 'both' },
    },
  });
  const variants = { plain: [false], resumable: [true], both: [false, true] }[values.streams];
  if (variants === undefined) throw new TypeError(`--streams: no such kind: ${values.streams}`);
  return {
    variants,
    calls: Math.ceil(count('calls', values.calls) / variants.length),
    faults: Math.ceil(count('faults', values.faults) / variants.length),
    ...(values.seed !== undefined && { seed: count('seed', values.seed) }),
  };
}

async function main(): Promise<number> {
  let request: ReturnType<typeof readArguments>;
  try {
    request = readArguments();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  const { variants, calls, faults, seed } = request;
  let exitCode = 0;
  for (const resumable of variants) {
    console.log(`\n## ${resumable ? 'resumable' : 'plain'} streams`);
    let tellAt = TELL_EVERY;
    const summary = await runChaos({
      calls,
      faults,
      seed,
      resumable,
      onProgress: (done) => {
        if (done.settled / calls < tellAt) return;
        tellAt += TELL_EVERY;
        console.error(`${done.settled} calls, ${done.faults} faults`);
      },
    });
    console.log(formatSummary(summary));
    if (summary.violations.length > 0) exitCode = 1;
  }
  return exitCode;
}

process.exitCode = await main();
setTimeout(() => {
  console.error(`left open: ${process.getActiveResourcesInfo().join(', ')}`);
  process.exit(1);
}, ENDING_MS).unref();
