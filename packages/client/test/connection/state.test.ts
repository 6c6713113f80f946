import { describe, expect, it } from 'vitest';
import {
  transition,
  transitions,
  type ConnectionEvent,
  type ConnectionState,
} from '../../src/connection/state.ts';
import { LongwireError } from '../../src/errors.ts';

const reason = new LongwireError('it dropped', { code: 'connection-lost', certainty: 'not-sent' });

const states: { [Name in ConnectionState['name']]: Extract<ConnectionState, { name: Name }> } = {
  idle: { name: 'idle' },
  connecting: { name: 'connecting' },
  ready: { name: 'ready', dialect: 'sse', url: 'http://127.0.0.1/messages', connectMs: 1 },
  resting: { name: 'resting', reason },
  closed: { name: 'closed' },
};

const events: { [Type in ConnectionEvent['type']]: Extract<ConnectionEvent, { type: Type }> } = {
  'request-made': { type: 'request-made' },
  'handshake-done': {
    type: 'handshake-done',
    dialect: 'sse',
    url: 'http://127.0.0.1/messages',
    connectMs: 1,
  },
  'dial-failed': { type: 'dial-failed', reason },
  'channel-ended': { type: 'channel-ended', reason },
  'close-asked': { type: 'close-asked' },
};

type Outcome = { to: ConnectionState['name']; effects: string[] } | 'nothing';

const dials = { to: 'connecting', effects: ['dial'] } as const;
const rests = { to: 'resting', effects: ['hang-up', 'fail-all'] } as const;
const closes = { to: 'closed', effects: ['hang-up'] } as const;

/** Every state with every event: a missing cell does not compile. */
const expected: Record<
  ConnectionState['name'],
  Record<
    ConnectionEvent['type'],
    Outcome | { to: ConnectionState['name']; effects: readonly string[] }
  >
> = {
  idle: {
    'request-made': dials,
    'handshake-done': 'nothing',
    'dial-failed': 'nothing',
    'channel-ended': 'nothing',
    'close-asked': closes,
  },
  connecting: {
    'request-made': 'nothing',
    'handshake-done': { to: 'ready', effects: ['release'] },
    'dial-failed': rests,
    'channel-ended': rests,
    'close-asked': closes,
  },
  ready: {
    'request-made': 'nothing',
    'handshake-done': 'nothing',
    'dial-failed': 'nothing',
    'channel-ended': rests,
    'close-asked': closes,
  },
  resting: {
    'request-made': dials,
    'handshake-done': 'nothing',
    'dial-failed': 'nothing',
    'channel-ended': 'nothing',
    'close-asked': closes,
  },
  closed: {
    'request-made': 'nothing',
    'handshake-done': 'nothing',
    'dial-failed': 'nothing',
    'channel-ended': 'nothing',
    'close-asked': 'nothing',
  },
};

describe.each(Object.values(states))('a connection that is $name', (state) => {
  it.each(Object.values(events))('meets $type', (event) => {
    const next = transition(state, event);
    const outcome =
      next === undefined
        ? 'nothing'
        : { to: next.state.name, effects: next.effects.map(({ type }) => type) };
    expect(outcome).toEqual(expected[state.name][event.type]);
  });
});

describe('transition', () => {
  it('has a cell for every state and event', () => {
    for (const name of Object.keys(states)) {
      expect(Object.keys(transitions[name as ConnectionState['name']]).sort()).toEqual(
        Object.keys(events).sort(),
      );
    }
  });

  it('carries the reason into the state and to the calls that fail', () => {
    const next = transition(states.ready, events['channel-ended']);
    expect(next?.state).toEqual({ name: 'resting', reason });
    expect(next?.effects).toContainEqual({ type: 'fail-all', reason });
  });
});
