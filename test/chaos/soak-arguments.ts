import { parseArgs } from 'node:util';
import { chooseSeed } from './seed.ts';

/** How the soak is used. */
export const USAGE = `Usage: npm run soak -- [--calls N] [--faults N] [--seed N] [--streams KIND]

  --calls    how many calls are made, at least one (default 100000)
  --faults   how many faults strike connections meanwhile (default 10000)
  --seed     what all that is random follows from, from 0 to 4294967295 (default: any; it is
             printed at the beginning)
  --streams  plain, resumable, or both, which is half of the calls each (default both)
  --help     print this`;

/** What is to be run. */
export interface SoakArguments {
  /** Whether the streams of each run can be resumed. */
  variants: boolean[];
  /** In each run. */
  calls: number;
  /** In each run. */
  faults: number;
  seed: number;
}

/**
 * Reads the arguments of the command line; `help` if it asks for that.
 *
 * @throws TypeError that says what is wrong with them.
 */
export function readSoakArguments(args: string[]): SoakArguments | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      calls: { type: 'string', default: '100000' },
      faults: { type: 'string', default: '10000' },
      seed: { type: 'string' },
      streams: { type: 'string', default: 'both' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const kinds = new Map([
    ['plain', [false]],
    ['resumable', [true]],
    ['both', [false, true]],
  ]);
  const variants = kinds.get(values.streams);
  if (variants === undefined) throw new TypeError(`--streams: no such kind: ${values.streams}`);
  return {
    variants,
    calls: Math.ceil(count('calls', values.calls, 1) / variants.length),
    faults: Math.ceil(count('faults', values.faults, 0) / variants.length),
    seed: chooseSeed(values.seed),
  };
}

function count(name: string, text: string, least: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new TypeError(`--${name}: not a whole number from ${least} on: ${text || "''"}`);
}
