import { parseArgs } from 'node:util';
import { chooseSeed } from './seed.ts';
import { VARIANTS, type Variant } from './variants.ts';

const NAMES = [...new Set(VARIANTS.map(({ transport }) => transport))];

/** How the soak is used. */
export const USAGE = `Usage: npm run soak -- [--transport NAME] [--streams KIND] [--calls N] [--faults N] [--seed N]

  --transport  ${NAMES.join(', ')}, or all (default all)
  --streams    plain, resumable, or both, where a transport has both (default both)
  --calls      how many calls are made, at least one; each transport and kind of stream gets
               its share (default 150000)
  --faults     how many faults strike meanwhile, shared likewise; the kill of a process counts
               for ten (default 15000)
  --seed       what all that is random follows from, from 0 to 4294967295 (default: any; it is
               printed at the beginning)
  --help       print this`;

/** What is to be run. */
export interface SoakArguments {
  /** What each run is made over. */
  variants: Variant[];
  /** In each run. */
  calls: number;
  /** In each run; divided by what one costs there. */
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
      transport: { type: 'string', default: 'all' },
      streams: { type: 'string', default: 'both' },
      calls: { type: 'string', default: '150000' },
      faults: { type: 'string', default: '15000' },
      seed: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const variants = choose(values.transport, values.streams);
  return {
    variants,
    calls: Math.ceil(count('calls', values.calls, 1) / variants.length),
    faults: Math.ceil(count('faults', values.faults, 0) / variants.length),
    seed: chooseSeed(values.seed),
  };
}

function choose(transport: string, streams: string): Variant[] {
  const kinds = new Map([
    ['plain', [false]],
    ['resumable', [true]],
    ['both', [false, true]],
  ]);
  const kind = kinds.get(streams);
  if (kind === undefined) throw new TypeError(`--streams: no such kind: ${streams}`);
  const named = VARIANTS.filter((variant) => [variant.transport, 'all'].includes(transport));
  if (named.length === 0) throw new TypeError(`--transport: no such transport: ${transport}`);
  const variants = named.filter(({ resumable }) => kind.includes(resumable));
  if (variants.length > 0) return variants;
  throw new TypeError(`--streams: ${transport} has none that are ${streams}`);
}

function count(name: string, text: string, least: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new TypeError(`--${name}: not a whole number from ${least} on: ${text || "''"}`);
}
