import type { CallPicture, EventPicture } from '../picture.js';
import {
  readComparison,
  readDuration,
  readNumber,
  readShare,
  type IsWithin,
  type ReadQuantity,
} from './quantities.js';
import { isNamed } from './wildcard.js';

/** Whether a call or an event is what a term says. A field of the one never matches the other. */
export interface Matcher {
  call(call: CallPicture, at: number): boolean;
  event(event: EventPicture): boolean;
}

/** One of the words before the colon. */
export interface Field {
  /** What it finds, in a few words. */
  readonly about: string;
  /** What may stand behind the colon, where that is known. */
  readonly values?: readonly string[];
  /** Makes a matcher of a value; `undefined` if the value means nothing. */
  read(value: string): Matcher | undefined;
}

/** The levels of log messages, the least severe first. */
const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];
const STATUSES = ['running', 'ok', 'error', 'tool-error', 'failed'] as const;
const CERTAINTIES = ['not-sent', 'refused', 'answered', 'outcome-unknown'];
const never = (): boolean => false;

/** Every word that may stand before a colon. */
export const FIELDS: Readonly<Record<string, Field>> = {
  server: {
    about: 'the name of a server',
    read: (value) => {
      const is = isNamed(value);
      return { call: ({ server }) => is(server), event: ({ server }) => is(server) };
    },
  },
  tool: named('the name of a tool', (method) => method === 'tools/call'),
  prompt: named('the name of a prompt', (method) => method === 'prompts/get'),
  resource: named('the URI of a resource', (method) => method.startsWith('resources/')),
  method: {
    about: 'the method of a call or of a notification',
    read: (value) => {
      const is = isNamed(value);
      return {
        call: ({ method }) => is(method),
        event: (event) => event.type === 'notification' && is(event.method),
      };
    },
  },
  kind: {
    about: 'calls, notifications or errors that belong to no call',
    values: ['call', 'notification', 'error'],
    read: (value) => ({
      call: () => value === 'call',
      event: ({ type }) => type === value,
    }),
  },
  level: {
    about: 'the level of a log message: warning, >=warning',
    values: LEVELS,
    read: (value) => {
      const within = readComparison(value.toLowerCase(), levelNumber);
      return (
        within && { call: never, event: (event) => isWithin(levelNumber(levelOf(event)), within) }
      );
    },
  },
  status: {
    about: 'running, ok, or error: of the tool, or failed',
    values: STATUSES,
    read: (value) => ({
      call: (call) => hasStatus(call, value),
      event: ({ type }) => value === 'error' && type === 'error',
    }),
  },
  certainty: {
    about: 'what is certain of a failed call',
    values: CERTAINTIES,
    read: (value) => {
      const certainty = value === 'unknown' ? 'outcome-unknown' : value;
      return {
        call: ({ end }) => end?.error?.certainty === certainty,
        event: (event) => event.type === 'error' && event.error.certainty === certainty,
      };
    },
  },
  code: {
    about: 'the code of an error, or its number',
    read: (value) => {
      const is = isNamed(value);
      const isCode = (error: { code: string; number?: number } | undefined): boolean =>
        is(error?.code) || (error?.number !== undefined && is(String(error.number)));
      return {
        call: ({ end }) => isCode(end?.error),
        event: (event) => event.type === 'error' && isCode(event.error),
      };
    },
  },
  duration: quantity('how long a call took: >500ms, 1s..2s', readDuration, (call, at) =>
    call.end === undefined ? at - call.at : call.end.durationMs,
  ),
  progress: quantity('how far a call is: >50%', readShare, ({ progress }) =>
    progress?.total === undefined || progress.total <= 0
      ? undefined
      : progress.progress / progress.total,
  ),
  attempts: quantity(
    'how often a call was sent: >1',
    readNumber,
    ({ attempts }) => attempts.length,
  ),
  by: {
    about: 'who made a call: a name, or the number of another call',
    read: (value) => {
      const is = isNamed(value);
      return {
        call: ({ by }) => by !== undefined && is('who' in by ? by.who : String(by.call)),
        event: never,
      };
    },
  },
};

function named(about: string, isOf: (method: string) => boolean): Field {
  return {
    about,
    read: (value) => {
      const is = isNamed(value);
      return { call: ({ method, name }) => isOf(method) && is(name), event: never };
    },
  };
}

function quantity(
  about: string,
  read: ReadQuantity,
  of: (call: CallPicture, at: number) => number | undefined,
): Field {
  return {
    about,
    read: (value) => {
      const within = readComparison(value.toLowerCase(), read);
      return within && { call: (call, at) => isWithin(of(call, at), within), event: never };
    },
  };
}

function isWithin(value: number | undefined, within: IsWithin): boolean {
  return value !== undefined && within(value);
}

function levelNumber(level: string | undefined): number | undefined {
  const number = LEVELS.indexOf(level ?? '');
  return number === -1 ? undefined : number;
}

function levelOf(event: EventPicture): string | undefined {
  if (event.type !== 'notification' || event.method !== 'notifications/message') return undefined;
  const level = (event.params as { level?: unknown } | null | undefined)?.level;
  return typeof level === 'string' ? level : undefined;
}

function hasStatus({ end }: CallPicture, status: string): boolean {
  switch (status) {
    case 'running':
      return end === undefined;
    case 'ok':
      return end?.outcome === 'result';
    case 'error':
      return end !== undefined && end.outcome !== 'result';
    case 'tool-error':
      return end?.outcome === 'tool-error';
    default:
      return end?.outcome === 'error';
  }
}
