import type { Verdict } from '../expectation.js';
import type { CertaintyName, StateName } from '../format.js';
import type { CallPicture } from '../picture.js';

/** A word of the code, a sign that stands for it without colour, what it means, and its colour. */
export interface Word {
  readonly sign: string;
  readonly meaning: string;
  readonly tone: Tone;
}

/** What a colour says. */
export type Tone = 'good' | 'busy' | 'warning' | 'bad' | 'quiet';

/** The states of a connection. */
export const STATES: Readonly<Record<StateName, Word>> = {
  idle: { sign: '○', meaning: 'No request was made yet.', tone: 'quiet' },
  connecting: { sign: '◔', meaning: 'It dials, or makes the handshake.', tone: 'busy' },
  ready: { sign: '●', meaning: 'Requests are sent at once.', tone: 'good' },
  reconnecting: {
    sign: '↻',
    meaning: 'The connection was lost, or a dial failed. It waits before the next.',
    tone: 'warning',
  },
  resting: {
    sign: '❚❚',
    meaning: 'It does not dial by itself. The next request dials.',
    tone: 'bad',
  },
  closed: { sign: '■', meaning: 'Closed for good.', tone: 'quiet' },
};

/** What is certain of a call that failed. */
export const CERTAINTIES: Readonly<Record<CertaintyName, Word>> = {
  'not-sent': { sign: '⊘', meaning: 'It was not sent. It did not run.', tone: 'warning' },
  refused: { sign: '⊗', meaning: 'The server refused it. It did not run.', tone: 'warning' },
  answered: { sign: '!', meaning: 'The server answered.', tone: 'bad' },
  'outcome-unknown': {
    sign: '?',
    meaning: 'It was sent. Nobody knows whether it ran.',
    tone: 'bad',
  },
};

/** How a call ended, or that it has not. */
export type OutcomeName = 'in-flight' | 'result' | 'tool-error' | 'error';

/** The outcomes of calls. */
export const OUTCOMES: Readonly<Record<OutcomeName, Word>> = {
  'in-flight': { sign: '…', meaning: 'No answer yet.', tone: 'busy' },
  result: { sign: '✓', meaning: 'It ran, and this is its result.', tone: 'good' },
  'tool-error': {
    sign: '✗',
    meaning: 'The tool ran, and says that it failed.',
    tone: 'bad',
  },
  error: { sign: '✗', meaning: 'The call failed.', tone: 'bad' },
};

/** What became of a check. */
export const VERDICTS: Readonly<Record<Verdict['outcome'], Word>> = {
  held: { sign: '✓', meaning: 'It was answered as expected.', tone: 'good' },
  'not-held': { sign: '✗', meaning: 'It was answered, and not as expected.', tone: 'bad' },
  failed: { sign: '?', meaning: 'There is no answer to compare.', tone: 'warning' },
};

/** How this call ended, or that it has not. */
export function outcomeOf(call: CallPicture): OutcomeName {
  return call.end?.outcome ?? 'in-flight';
}

/** What a call is called: its tool, prompt or resource, else its method. */
export function callName({ name, method }: CallPicture): string {
  return name ?? method;
}

/** `1 call`, `2 calls`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}
