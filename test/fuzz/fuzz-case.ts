import { createRandom, type Random } from '@longwire/testing';
import { MUTATIONS, type MutationName } from './grammar/grammar.ts';
import { pick, type Level, type Purpose } from './grammar/mutation.ts';

/** How the server of a case talks. */
export type FuzzTransport =
  | 'sse'
  | 'streamable-json'
  | 'streamable-events'
  | 'stateless-json'
  | 'stateless-events'
  | 'tool-events'
  | 'stdio';

/** All of them. */
export const FUZZ_TRANSPORTS: readonly FuzzTransport[] = [
  'sse',
  'streamable-json',
  'streamable-events',
  'stateless-json',
  'stateless-events',
  'tool-events',
  'stdio',
];

/** One thing that goes wrong in a case. */
export interface Fault {
  /** The name of a mutation. */
  readonly mutation: string;
  readonly level: Level;
  /** The answers that it strikes: those to requests of this purpose. */
  readonly on: Purpose | 'any';
  /** Whether it strikes once, so that the server is all right afterwards. */
  readonly once: boolean;
  /** The stream of random numbers that it draws from: what strikes is the same every time. */
  readonly stream: number;
}

/** The arguments of the command, without the target. */
export type CommandLine = readonly string[];

/** A server with its faults, and who meets it. All of it follows from the seed and the number. */
export interface FuzzCase {
  readonly seed: number;
  readonly number: number;
  readonly transport: FuzzTransport;
  /** The library in a process that meets many cases; or a run of the command. */
  readonly subject: 'library' | CommandLine;
  /** Whether the client listens for what the server says unasked. */
  readonly listens: boolean;
  readonly faults: readonly Fault[];
}

/** What cases are made from. */
export interface CaseChoice {
  seed: number;
  /** Names of mutations or of their levels; none: all. */
  only: readonly string[];
  without: readonly string[];
  transports: readonly FuzzTransport[];
  subjects: readonly ('library' | 'command')[];
}

const COMMAND_SHARE = 0.12;
/** Streams of one seed that belong to one case. */
const STREAMS = 8;

/** How the text of an argument is spelt that a backtracking pattern takes for ever to refuse. */
export const HARD_TEXT: string = `${'a'.repeat(40)}!`;

const COMMANDS: readonly CommandLine[] = [
  ['inspect'],
  ['inspect', '--json'],
  ['tools'],
  ['tools', '--json'],
  ['tools', '--verbose'],
  ['resources'],
  ['prompts'],
  ['call', 'echo', `text=${HARD_TEXT}`],
  ['call', 'echo', `text=${HARD_TEXT}`, '--json'],
  ['call', 'echo', `text=${HARD_TEXT}`, '--verbose'],
  ['call', 'echo', 'txet=x'],
  ['call', 'ehco', 'text=x'],
  ['watch'],
  ['watch', '--json'],
];

/** The levels that a server has, by how it talks. */
function levelsOf(transport: FuzzTransport): ReadonlySet<Level> {
  const levels: Level[] = ['list', 'schema', 'call', 'json', 'bytes', 'timing'];
  if (transport !== 'tool-events') levels.push('handshake', 'rpc', 'task');
  if (transport !== 'stdio') levels.push('http', 'wire');
  if (transport !== 'stdio' && !transport.endsWith('json')) levels.push('sse');
  return new Set(levels);
}

/** Whether a mutation is one of those named, by its name or its level. */
export function isNamed({ name, level }: MutationName, names: readonly string[]): boolean {
  return names.includes(name) || names.includes(level);
}

/** Makes the case with this number. */
export function makeCase(choice: CaseChoice, number: number): FuzzCase {
  const { seed, only, without, subjects } = choice;
  const random = createRandom(seed, number * STREAMS);
  const transport = pick(random, choice.transports);
  const isCommand = random.chance(COMMAND_SHARE);
  const commandLine = pick(random, COMMANDS);
  const levels = levelsOf(transport);
  const usable = MUTATIONS.filter(
    (mutation) =>
      levels.has(mutation.level) &&
      (only.length === 0 || isNamed(mutation, only)) &&
      !isNamed(mutation, without),
  );
  const count =
    usable.length === 0 ? 0 : 1 + (random.chance(0.3) ? 1 : 0) + (random.chance(0.1) ? 1 : 0);
  const faults = Array.from({ length: count }, (_, index): Fault => {
    const { name, level } = choose(usable, random);
    const stream = number * STREAMS + index + 1;
    return {
      mutation: name,
      level,
      on: purposeOf(level, random),
      once: random.chance(0.3),
      stream,
    };
  });
  const asCommand = subjects.length === 1 ? subjects[0] === 'command' : isCommand;
  return {
    seed,
    number,
    transport,
    subject: asCommand ? commandLine : 'library',
    listens: random.chance(0.5),
    faults,
  };
}

/** The case with some of its faults alone. */
export function withFaults(fuzzCase: FuzzCase, faults: readonly Fault[]): FuzzCase {
  return { ...fuzzCase, faults };
}

/** Says in one line what a case is. */
export function describeCase({ number, transport, subject, faults }: FuzzCase): string {
  const who = subject === 'library' ? 'library' : `longwire ${subject.join(' ')}`;
  const what = faults.map(({ mutation, on, once }) => `${mutation} on ${on}${once ? ' once' : ''}`);
  return `case ${number}, ${transport}, ${who}: ${what.join(', ') || 'no fault'}`;
}

/** First the level, so that a long table takes nothing from a short one. */
function choose(usable: readonly MutationName[], random: Random): MutationName {
  const level = pick(random, [...new Set(usable.map((each) => each.level))]);
  const table = usable.filter((each) => each.level === level);
  let rest = random.next() * table.reduce((sum, { weight }) => sum + weight, 0);
  return table.find(({ weight }) => (rest -= weight) < 0) ?? (table[0] as MutationName);
}

function purposeOf(level: Level, random: Random): Fault['on'] {
  if (level === 'handshake') return 'connect';
  if (level === 'list' || level === 'schema') return 'list';
  if (level === 'call' || level === 'task') return level;
  return pick(random, ['connect', 'list', 'call', 'task', 'any']);
}
