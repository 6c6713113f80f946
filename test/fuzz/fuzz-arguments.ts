import { parseArgs } from 'node:util';
import { chooseSeed } from '../chaos/seed.ts';
import { FUZZ_TRANSPORTS, isNamed, type CaseChoice } from './fuzz-case.ts';
import { LEVELS, MUTATIONS } from './grammar/grammar.ts';

/** How the fuzzer is used. */
export const USAGE = `Usage: npm run fuzz -- [--minutes N] [--cases N] [--seed N] [--case N [--faults NAMES]]
                    [--only NAMES] [--without NAMES] [--transport NAMES] [--subject NAME] [--lanes N]

  --minutes    no case begins after this time (default 60)
  --cases      at most so many cases (default: no limit)
  --seed       what all that is random follows from, from 0 to 4294967295 (default: any; it is
               printed at the beginning)
  --case       run this case alone, and print what happened
  --faults     of that case, only these faults
  --only       only these mutations: names like rpc/error-null, or levels:
               ${LEVELS.join(', ')}
  --without    all but these
  --transport  ${FUZZ_TRANSPORTS.join(', ')} (default: all)
  --subject    library or command (default: both)
  --lanes      how many cases run side by side (default 4)
  --list       print the names of all mutations
  --help       print this

NAMES are separated by commas. The same seed, --only, --without, --transport and --subject make the
same cases.`;

/** What is to be run. */
export interface FuzzArguments extends CaseChoice {
  budgetMs: number;
  maxCases: number;
  lanes: number;
  oneCase: number | undefined;
  faults: string[];
}

/**
 * Reads the arguments of the command line; `help` or `list` if it asks for that.
 *
 * @throws TypeError that says what is wrong with them.
 */
export function readFuzzArguments(args: string[]): FuzzArguments | 'help' | 'list' {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '60' },
      cases: { type: 'string' },
      seed: { type: 'string' },
      case: { type: 'string' },
      faults: { type: 'string', default: '' },
      only: { type: 'string', default: '' },
      without: { type: 'string', default: '' },
      transport: { type: 'string', default: '' },
      subject: { type: 'string', default: 'both' },
      lanes: { type: 'string', default: '4' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  if (values.list) return 'list';
  const transports = words(values.transport).map((word) => {
    const transport = FUZZ_TRANSPORTS.find((known) => known === word);
    if (transport === undefined) throw new TypeError(`--transport: no such transport: ${word}`);
    return transport;
  });
  return {
    budgetMs: count('minutes', values.minutes) * 60_000,
    maxCases: values.cases === undefined ? Infinity : count('cases', values.cases),
    lanes: count('lanes', values.lanes),
    oneCase: values.case === undefined ? undefined : count('case', values.case, 0),
    faults: mutations('faults', values.faults),
    only: mutations('only', values.only),
    without: mutations('without', values.without),
    transports: transports.length > 0 ? transports : FUZZ_TRANSPORTS,
    subjects: subjects(values.subject),
    seed: chooseSeed(values.seed),
  };
}

function words(text: string): string[] {
  return text.split(',').filter((word) => word !== '');
}

function mutations(option: string, text: string): string[] {
  const names = words(text);
  const unknown = names.find((name) => !MUTATIONS.some((mutation) => isNamed(mutation, [name])));
  if (unknown !== undefined) throw new TypeError(`--${option}: no such mutation: ${unknown}`);
  return names;
}

function subjects(text: string): CaseChoice['subjects'] {
  if (text === 'both') return ['library', 'command'];
  if (text === 'library' || text === 'command') return [text];
  throw new TypeError(`--subject: neither library nor command: ${text}`);
}

function count(name: string, text: string, least = 1): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new TypeError(`--${name}: not a whole number from ${least} on: ${text || "''"}`);
}
