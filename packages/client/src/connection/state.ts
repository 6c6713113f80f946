import type { Implementation } from '@modelcontextprotocol/client';
import type { Dialect } from '../channels/channel.js';
import type { LongwireError, Tried } from '../errors.js';
import { afterAttempts } from './failures.js';
import { dialDelayMs, isAway, isFinal, type RetryPolicy } from './retry.js';

/** What a connection knows once it is ready. */
export interface Readiness {
  /** How the server talks. */
  dialect: Dialect;
  /** Where requests go: a URL without its query, or a command. */
  address: string;
  /** From the beginning of the dial to the end of the handshake, in milliseconds. */
  connectMs: number;
  /** The session from before goes on; else this is a new one. */
  resumed: boolean;
  /** Who the server said it was before, if it says otherwise now. */
  formerServer?: Implementation;
  /** What was tried to find the server, in order; the last is what found it. */
  tried?: readonly Tried[];
}

/**
 * Where a connection stands.
 *
 * - `idle`: nothing was asked of it yet.
 * - `connecting`: dialling, or shaking hands, for the `attempt`th time without an answer; because
 *   of this reason, if there was a line before.
 * - `ready`: requests go out at once. `spent` dials have been made since the last answer.
 * - `reconnecting`: the line was lost, or a dial failed, for this reason; the `attempt`th dial
 *   since the last answer begins in `nextDelayMs`.
 * - `resting`: it does not dial by itself; the next request does.
 * - `closed`: for good. A client that is called again makes a new connection.
 *
 * `known` says that the server has shaken hands before.
 */
export type ConnectionState =
  | { name: 'idle' }
  | { name: 'connecting'; attempt: number; known: boolean; reason?: LongwireError }
  | ({ name: 'ready'; spent: number } & Readiness)
  | {
      name: 'reconnecting';
      attempt: number;
      maxAttempts: number;
      reason: LongwireError;
      nextDelayMs: number;
      known: boolean;
    }
  | { name: 'resting'; reason: LongwireError; known: boolean }
  | { name: 'closed' };

/** The end of a channel, or of the attempt to get one. */
interface Failure {
  reason: LongwireError;
  /** Whether requests wait for a channel. */
  requestsWait: boolean;
  /** How long the server asked to wait at least, in milliseconds. */
  askedMs: number;
}

/** What can happen to a connection. */
export type ConnectionEvent =
  | { type: 'request-made' }
  | ({ type: 'handshake-done' } & Readiness)
  | ({ type: 'dial-failed' } & Failure)
  | ({ type: 'channel-ended' } & Failure)
  /** A request was answered, and not one that belongs to getting ready. */
  | { type: 'answered' }
  | { type: 'delay-over'; requestsWait: boolean }
  | { type: 'close-asked' };

/** What is to be done about it. */
export type Effect =
  | { type: 'dial' }
  /** Lets `delay-over` happen after so many milliseconds. */
  | { type: 'wait'; ms: number }
  /** Sends what waits for the handshake. */
  | { type: 'release' }
  /** Decides by the ledger what becomes of every request that was under way. */
  | { type: 'sort-out'; reason: LongwireError }
  /** Fails every request, sent or waiting. */
  | { type: 'fail-all'; reason: LongwireError }
  /** Lets go of the channel, and of the wait for the next. */
  | { type: 'hang-up' };

type StateName = ConnectionState['name'];
type EventType = ConnectionEvent['type'];
type Of<Union, Key extends keyof Union, Value> = Extract<Union, Record<Key, Value>>;
type State<Name extends StateName> = Of<ConnectionState, 'name', Name>;
type Event<Type extends EventType> = Of<ConnectionEvent, 'type', Type>;

/** What follows: `undefined` where the event means nothing in the state. */
export type Transition = { state: ConnectionState; effects: Effect[] } | undefined;

type Cell<S extends StateName, E extends EventType> = (
  state: State<S>,
  event: Event<E>,
  policy: RetryPolicy,
) => Transition;

/** Every state with every event. */
export type TransitionTable = { [S in StateName]: { [E in EventType]: Cell<S, E> } };

const nothing = (): undefined => undefined;

const dial = (state: State<'idle'> | State<'resting'>): Transition => ({
  state: { name: 'connecting', attempt: 1, known: state.name === 'resting' && state.known },
  effects: [{ type: 'dial' }],
});

const close = (): Transition => ({ state: { name: 'closed' }, effects: [{ type: 'hang-up' }] });

const rest = (reason: LongwireError, known: boolean): Transition => ({
  state: { name: 'resting', reason, known },
  effects: [{ type: 'hang-up' }, { type: 'fail-all', reason }],
});

const reconnect = (
  { reason, askedMs }: Failure,
  { attempt, known }: { attempt: number; known: boolean },
  policy: RetryPolicy,
): { state: ConnectionState; effects: Effect[] } => {
  const { maxAttempts } = policy;
  const nextDelayMs = dialDelayMs(policy, attempt, askedMs);
  return {
    state: { name: 'reconnecting', attempt, maxAttempts, reason, nextDelayMs, known },
    effects: [{ type: 'hang-up' }, { type: 'wait', ms: nextDelayMs }],
  };
};

/**
 * A dial failed. Where it is the first ever, whoever made it is told at once. Beyond its budget
 * the connection goes on only for requests that wait, and only for a server that is away.
 */
const fail = (
  { attempt, known }: State<'connecting'>,
  failure: Failure,
  policy: RetryPolicy,
): Transition => {
  const { reason, requestsWait } = failure;
  const isTriedOnce = !known && !policy.firstConnect;
  const isSpent = attempt >= policy.maxAttempts;
  const isWaitedFor = policy.maxAttempts > 0 && known && requestsWait && isAway(reason);
  if (isFinal(reason) || isTriedOnce) return rest(reason, known);
  if (isSpent && !isWaitedFor) return rest(afterAttempts(reason, attempt), known);
  return reconnect(failure, { attempt: attempt + 1, known }, policy);
};

/** The line was lost; a clean end is no less a loss than any other. */
const lose = ({ spent }: State<'ready'>, failure: Failure, policy: RetryPolicy): Transition => {
  if (spent >= policy.maxAttempts) return rest(failure.reason, true);
  const { state, effects } = reconnect(failure, { attempt: spent + 1, known: true }, policy);
  return { state, effects: [...effects, { type: 'sort-out', reason: failure.reason }] };
};

/**
 * The policy. A cell that is missing does not compile; `docs/connection.md` says it in words.
 */
export const transitions: TransitionTable = {
  idle: {
    'request-made': dial,
    'handshake-done': nothing,
    'dial-failed': nothing,
    'channel-ended': nothing,
    answered: nothing,
    'delay-over': nothing,
    'close-asked': close,
  },
  connecting: {
    'request-made': nothing,
    'handshake-done': ({ attempt }, { type: _type, ...readiness }) => ({
      state: { name: 'ready', spent: attempt, ...readiness },
      effects: [{ type: 'release' }],
    }),
    'dial-failed': fail,
    'channel-ended': fail,
    // On a stream that goes on an answer may come before all else.
    answered: (state) => ({ state: { ...state, attempt: 0 }, effects: [] }),
    'delay-over': nothing,
    'close-asked': close,
  },
  ready: {
    'request-made': nothing,
    'handshake-done': nothing,
    'dial-failed': nothing,
    'channel-ended': lose,
    answered: (state) =>
      state.spent === 0 ? undefined : { state: { ...state, spent: 0 }, effects: [] },
    'delay-over': nothing,
    'close-asked': close,
  },
  reconnecting: {
    'request-made': nothing,
    'handshake-done': nothing,
    'dial-failed': nothing,
    'channel-ended': nothing,
    answered: nothing,
    'delay-over': ({ attempt, maxAttempts, reason, known }, { requestsWait }) =>
      attempt > maxAttempts && !requestsWait
        ? rest(reason, known)
        : { state: { name: 'connecting', attempt, known, reason }, effects: [{ type: 'dial' }] },
    'close-asked': close,
  },
  resting: {
    'request-made': dial,
    'handshake-done': nothing,
    'dial-failed': nothing,
    'channel-ended': nothing,
    answered: nothing,
    'delay-over': nothing,
    'close-asked': close,
  },
  closed: {
    'request-made': nothing,
    'handshake-done': nothing,
    'dial-failed': nothing,
    'channel-ended': nothing,
    answered: nothing,
    'delay-over': nothing,
    'close-asked': nothing,
  },
};

/** The next state and what is to be done; `undefined` where the event changes nothing. */
export function transition(
  state: ConnectionState,
  event: ConnectionEvent,
  policy: RetryPolicy,
): Transition {
  // The table is typed cell by cell; the index by two unions at once is what TypeScript cannot
  // follow.
  const cell = transitions[state.name][event.type] as Cell<StateName, EventType>;
  return cell(state, event, policy);
}
