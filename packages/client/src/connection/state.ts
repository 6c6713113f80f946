import type { Implementation } from '@modelcontextprotocol/client';
import { ConnectionLostError, type LongwireError, type ProbeResult } from '../errors.js';
import { afterAttempts, closedError } from './failures.js';
import { dialDelayMs, isAway, isFinal, type RetryPolicy } from './retry.js';
import type { TransportName } from '../transport-name.js';

/** What a connection knows once it is ready. */
export interface Readiness {
  /** The transport that the server speaks. */
  transport: TransportName;
  /** Where requests go: a URL without its query, or a command. */
  address: string;
  /** From the start of the dial to the end of the handshake, in milliseconds. */
  connectMs: number;
  /** True if the session from before was resumed; false if it is a new one. */
  resumed: boolean;
  /** The name and version of the server before, if they are different now. */
  formerServer?: Implementation;
  /** What was tried to find the server, in order; the last one succeeded. */
  tried?: readonly ProbeResult[];
}

/**
 * The state of a connection.
 *
 * - `idle`: no request was made yet.
 * - `connecting`: dials or makes the handshake. `attempt` counts the dials since the last answer;
 *   `reason` says why a connection before this one was lost.
 * - `ready`: requests are sent at once. `dialsSinceAnswer` counts the dials since the last answer.
 * - `reconnecting`: the connection was lost, or a dial failed, for this reason. Dial number
 *   `attempt` since the last answer starts in `nextDelayMs`.
 * - `resting`: does not dial by itself; the next request dials.
 * - `closed`: for good. A client that is called again makes a new connection.
 *
 * `known`: the server has made a handshake before.
 */
export type ConnectionState =
  | { name: 'idle' }
  | { name: 'connecting'; attempt: number; known: boolean; reason?: LongwireError }
  | ({ name: 'ready'; dialsSinceAnswer: number } & Readiness)
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

/** The end of a channel, or of a dial. */
interface Failure {
  reason: LongwireError;
  /** Whether requests are in flight or wait for a channel. */
  requestsWait: boolean;
  /** How long the server asked to wait, in milliseconds. */
  askedMs: number;
}

/** What can happen to a connection. */
export type ConnectionEvent =
  | { type: 'request-made' }
  | ({ type: 'handshake-done' } & Readiness)
  | ({ type: 'dial-failed' } & Failure)
  | ({ type: 'channel-ended' } & Failure)
  /** A request was answered, other than those of the handshake and of restoring the session. */
  | { type: 'answered' }
  | { type: 'delay-over'; requestsWait: boolean }
  | { type: 'close-requested' };

/** What the supervisor does about it. */
export type Effect =
  /** Opens a channel and makes the handshake. */
  | { type: 'dial' }
  /** Starts the delay before the next dial; `delay-over` happens at its end. */
  | { type: 'wait'; ms: number }
  /** Restores the session, and sends the requests that wait for it. */
  | { type: 'send-waiting' }
  /** Settles every request in flight, or makes it wait for the next session. */
  | { type: 'settle'; reason: LongwireError }
  /** Fails every request, in flight or waiting. */
  | { type: 'fail-all'; reason: LongwireError }
  /** Closes the channel, and ends the delay before the next dial. */
  | { type: 'close-channel' };

type StateName = ConnectionState['name'];
type EventType = ConnectionEvent['type'];
type Of<Union, Key extends keyof Union, Value> = Extract<Union, Record<Key, Value>>;
type State<Name extends StateName> = Of<ConnectionState, 'name', Name>;
type Event<Type extends EventType> = Of<ConnectionEvent, 'type', Type>;

/** The next state and the effects; `undefined` where the event changes nothing. */
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

const close = (): Transition => ({
  state: { name: 'closed' },
  effects: [{ type: 'close-channel' }],
});

const rest = (reason: LongwireError, known: boolean): Transition => ({
  state: { name: 'resting', reason, known },
  effects: [{ type: 'close-channel' }, { type: 'fail-all', reason }],
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
    effects: [{ type: 'close-channel' }, { type: 'wait', ms: nextDelayMs }],
  };
};

/**
 * A dial failed. If it is the first dial ever, whoever made it gets the error at once. When the
 * attempts are used up, dials continue only while requests wait, and only for a server that is away.
 */
const fail = (
  { attempt, known }: State<'connecting'>,
  failure: Failure,
  policy: RetryPolicy,
): Transition => {
  const { reason, requestsWait } = failure;
  const isTriedOnce = !known && !policy.firstConnect;
  const isUsedUp = attempt >= policy.maxAttempts;
  const isWaitedFor = policy.maxAttempts > 0 && known && requestsWait && isAway(reason);
  if (isFinal(reason) || isTriedOnce) return rest(reason, known);
  if (isUsedUp && !isWaitedFor) return rest(afterAttempts(reason, attempt), known);
  return reconnect(failure, { attempt: attempt + 1, known }, policy);
};

/** The channel ended; a clean end is a loss like any other. */
const lose = (
  { dialsSinceAnswer }: State<'ready'>,
  failure: Failure,
  policy: RetryPolicy,
): Transition => {
  if (dialsSinceAnswer >= policy.maxAttempts) return rest(failure.reason, true);
  const { state, effects } = reconnect(
    failure,
    { attempt: dialsSinceAnswer + 1, known: true },
    policy,
  );
  return { state, effects: [...effects, { type: 'settle', reason: failure.reason }] };
};

/**
 * Every state with every event. A missing cell does not compile. `docs/connection.md` explains it.
 */
export const transitions: TransitionTable = {
  idle: {
    'request-made': dial,
    'handshake-done': nothing,
    'dial-failed': nothing,
    'channel-ended': nothing,
    answered: nothing,
    'delay-over': nothing,
    'close-requested': close,
  },
  connecting: {
    'request-made': nothing,
    'handshake-done': ({ attempt }, { type: _type, ...readiness }) => ({
      state: { name: 'ready', dialsSinceAnswer: attempt, ...readiness },
      effects: [{ type: 'send-waiting' }],
    }),
    'dial-failed': fail,
    'channel-ended': fail,
    // On a resumed stream an answer may come before the connection is ready.
    answered: (state) => ({ state: { ...state, attempt: 0 }, effects: [] }),
    'delay-over': nothing,
    'close-requested': close,
  },
  ready: {
    'request-made': nothing,
    'handshake-done': nothing,
    'dial-failed': nothing,
    'channel-ended': lose,
    answered: (state) =>
      state.dialsSinceAnswer === 0
        ? undefined
        : { state: { ...state, dialsSinceAnswer: 0 }, effects: [] },
    'delay-over': nothing,
    'close-requested': close,
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
    'close-requested': close,
  },
  resting: {
    'request-made': dial,
    'handshake-done': nothing,
    'dial-failed': nothing,
    'channel-ended': nothing,
    answered: nothing,
    'delay-over': nothing,
    'close-requested': close,
  },
  closed: {
    'request-made': nothing,
    'handshake-done': nothing,
    'dial-failed': nothing,
    'channel-ended': nothing,
    answered: nothing,
    'delay-over': nothing,
    'close-requested': nothing,
  },
};

/** The next state and the effects; `undefined` where the event changes nothing. */
export function transition(
  state: ConnectionState,
  event: ConnectionEvent,
  policy: RetryPolicy,
): Transition {
  // Each cell is typed; TypeScript cannot follow an index by two unions at once.
  const cell = transitions[state.name][event.type] as Cell<StateName, EventType>;
  return cell(state, event, policy);
}

/** There is no session to send on: for now, until the next request, or for good. */
export function noSessionIn(state: ConnectionState): LongwireError {
  if (state.name === 'resting') return state.reason;
  if (state.name === 'idle' || state.name === 'closed') return closedError('not-sent');
  const reason = 'reason' in state ? state.reason : undefined;
  const why = reason === undefined ? '' : `: ${reason.summary}`;
  return new ConnectionLostError(`there is no session at the moment${why}`, {
    certainty: 'not-sent',
    cause: reason,
  });
}
