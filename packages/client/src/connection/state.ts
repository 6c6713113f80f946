import type { Dialect } from '../channels/channel.js';
import type { LongwireError } from '../errors.js';

/**
 * Where a connection stands.
 *
 * - `idle`: nothing was asked of it yet.
 * - `connecting`: dialling, or shaking hands.
 * - `ready`: requests go out at once.
 * - `resting`: it does not dial by itself; the next request does.
 * - `closed`: for good. A client that is called again makes a new connection.
 */
export type ConnectionState =
  | { name: 'idle' }
  | { name: 'connecting' }
  | { name: 'ready'; dialect: Dialect; url: string; connectMs: number }
  | { name: 'resting'; reason: LongwireError }
  | { name: 'closed' };

/** What can happen to a connection. */
export type ConnectionEvent =
  | { type: 'request-made' }
  | { type: 'handshake-done'; dialect: Dialect; url: string; connectMs: number }
  | { type: 'dial-failed'; reason: LongwireError }
  | { type: 'channel-ended'; reason: LongwireError }
  | { type: 'close-asked' };

/** What is to be done about it. */
export type Effect =
  | { type: 'dial' }
  /** Sends what waits for the handshake. */
  | { type: 'release' }
  /** Fails every request, sent or waiting. */
  | { type: 'fail-all'; reason: LongwireError }
  /** Lets go of the channel. */
  | { type: 'hang-up' };

type StateName = ConnectionState['name'];
type EventType = ConnectionEvent['type'];
type Of<Union, Key extends keyof Union, Value> = Extract<Union, Record<Key, Value>>;

/** What follows: `undefined` where the event means nothing in the state. */
export type Transition = { state: ConnectionState; effects: Effect[] } | undefined;

type Cell<S extends StateName, E extends EventType> = (
  state: Of<ConnectionState, 'name', S>,
  event: Of<ConnectionEvent, 'type', E>,
) => Transition;

/** Every state with every event. */
export type TransitionTable = { [S in StateName]: { [E in EventType]: Cell<S, E> } };

const nothing = (): undefined => undefined;
const dial = (): Transition => ({
  state: { name: 'connecting' },
  effects: [{ type: 'dial' }],
});
const close = (): Transition => ({ state: { name: 'closed' }, effects: [{ type: 'hang-up' }] });
const rest = (_state: ConnectionState, { reason }: { reason: LongwireError }): Transition => ({
  state: { name: 'resting', reason },
  effects: [{ type: 'hang-up' }, { type: 'fail-all', reason }],
});

/**
 * The policy: a line that drops fails what is in flight and rests; the next request dials anew.
 * A cell that is missing does not compile.
 */
export const transitions: TransitionTable = {
  idle: {
    'request-made': dial,
    'handshake-done': nothing,
    'dial-failed': nothing,
    'channel-ended': nothing,
    'close-asked': close,
  },
  connecting: {
    'request-made': nothing,
    'handshake-done': (_state, { dialect, url, connectMs }) => ({
      state: { name: 'ready', dialect, url, connectMs },
      effects: [{ type: 'release' }],
    }),
    'dial-failed': rest,
    'channel-ended': rest,
    'close-asked': close,
  },
  ready: {
    'request-made': nothing,
    'handshake-done': nothing,
    'dial-failed': nothing,
    'channel-ended': rest,
    'close-asked': close,
  },
  resting: {
    'request-made': dial,
    'handshake-done': nothing,
    'dial-failed': nothing,
    'channel-ended': nothing,
    'close-asked': close,
  },
  closed: {
    'request-made': nothing,
    'handshake-done': nothing,
    'dial-failed': nothing,
    'channel-ended': nothing,
    'close-asked': nothing,
  },
};

/** The next state and what is to be done; `undefined` where the event changes nothing. */
export function transition(state: ConnectionState, event: ConnectionEvent): Transition {
  // The table is typed cell by cell; the index by two unions at once is what TypeScript cannot
  // follow.
  const cell = transitions[state.name][event.type] as Cell<StateName, EventType>;
  return cell(state, event);
}
