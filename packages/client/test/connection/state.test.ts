import { describe, expect, it } from 'vitest';
import type { RetryPolicy } from '../../src/connection/retry.ts';
import {
  transition,
  type ConnectionEvent,
  type ConnectionState,
  type Effect,
} from '../../src/connection/state.ts';
import { ConnectionLostError, LongwireError } from '../../src/errors.ts';

type Name = ConnectionState['name'];
type Type = ConnectionEvent['type'];
type Loose<Union> = Union extends unknown ? Partial<Union> : never;

/** What a cell does: nothing, or a state (the named members of it) and the effects in order. */
type Outcome = 'nothing' | { to: Loose<ConnectionState>; effects: Effect['type'][] };

/** One case of a cell: what differs from the state, event and policy below. */
interface Way {
  when: string;
  state?: Loose<ConnectionState>;
  event?: Loose<ConnectionEvent>;
  policy?: Partial<RetryPolicy>;
  outcome: Outcome;
}

const away = new ConnectionLostError('it dropped', { certainty: 'not-sent' });
const final = new LongwireError('no entry', { code: 'forbidden', certainty: 'refused' });
const elsewhere = new LongwireError('a web page', { code: 'not-mcp', certainty: 'refused' });

const policy: RetryPolicy = {
  maxAttempts: 3,
  firstDelayMs: 100,
  maxDelayMs: 1000,
  firstConnect: false,
  random: () => 1,
};

const readiness = {
  transport: 'sse',
  address: 'http://127.0.0.1/messages',
  connectMs: 1,
  resumed: false,
} as const;

const states: { [N in Name]: Extract<ConnectionState, { name: N }> } = {
  idle: { name: 'idle' },
  connecting: { name: 'connecting', attempt: 1, known: true },
  ready: { name: 'ready', dialsSinceAnswer: 1, ...readiness },
  reconnecting: {
    name: 'reconnecting',
    attempt: 2,
    maxAttempts: 3,
    reason: away,
    nextDelayMs: 200,
    known: true,
  },
  resting: { name: 'resting', reason: away, known: true },
  closed: { name: 'closed' },
};

const failure = { reason: away, requestsWait: false, askedMs: 0 };
const events: { [T in Type]: Extract<ConnectionEvent, { type: T }> } = {
  'request-made': { type: 'request-made' },
  'handshake-done': { type: 'handshake-done', ...readiness },
  'dial-failed': { type: 'dial-failed', ...failure },
  'channel-ended': { type: 'channel-ended', ...failure },
  answered: { type: 'answered' },
  'delay-over': { type: 'delay-over', requestsWait: false },
  'close-requested': { type: 'close-requested' },
};

const closes: Outcome = { to: { name: 'closed' }, effects: ['close-channel'] };
const rests = (reason: LongwireError = away, known = true): Outcome => ({
  // The message may name the number of attempts.
  to: { name: 'resting', known, reason: expect.objectContaining({ code: reason.code }) as never },
  effects: ['close-channel', 'fail-all'],
});
const waits = (attempt: number, nextDelayMs: number, known = true): Outcome => ({
  to: { name: 'reconnecting', attempt, nextDelayMs, maxAttempts: 3, known },
  effects: ['close-channel', 'wait'],
});
const first = { known: false, attempt: 1 } as const;
const usedUp = { known: true, attempt: 3 } as const;

const cellA: Way[] = [
  { when: 'a server that is known went away', outcome: waits(2, 200) },
  { when: 'the failure is final', event: { reason: final }, outcome: rests(final) },
  {
    when: 'the failure is final and requests wait',
    event: { reason: final, requestsWait: true },
    outcome: rests(final),
  },
  { when: 'it was the first dial ever', state: first, outcome: rests(away, false) },
  {
    when: 'it was the first dial ever and a request waits',
    state: first,
    event: { requestsWait: true },
    outcome: rests(away, false),
  },
  {
    when: 'it was the first dial ever, with firstConnect',
    state: first,
    policy: { firstConnect: true },
    outcome: waits(2, 200, false),
  },
  {
    when: 'the failure of the first dial is final, with firstConnect',
    state: first,
    event: { reason: final },
    policy: { firstConnect: true },
    outcome: rests(final, false),
  },
  { when: 'no attempts are left and no request waits', state: usedUp, outcome: rests() },
  {
    when: 'no attempts are left, requests wait and the server is away',
    state: usedUp,
    event: { requestsWait: true },
    outcome: waits(4, 800),
  },
  {
    when: 'no attempts are left, requests wait and something else is there',
    state: usedUp,
    event: { requestsWait: true, reason: elsewhere },
    outcome: rests(elsewhere),
  },
  { when: 'something else is there for now', event: { reason: elsewhere }, outcome: waits(2, 200) },
  { when: 'the server asked for a delay', event: { askedMs: 700 }, outcome: waits(2, 700) },
];

const cellB: Way[] = [
  {
    when: 'dials are left',
    outcome: {
      to: { name: 'reconnecting', attempt: 2, nextDelayMs: 200, known: true },
      effects: ['close-channel', 'wait', 'settle'],
    },
  },
  {
    when: 'a request was answered',
    state: { dialsSinceAnswer: 0 },
    outcome: {
      to: { name: 'reconnecting', attempt: 1, nextDelayMs: 100, known: true },
      effects: ['close-channel', 'wait', 'settle'],
    },
  },
  { when: 'no attempts are left', state: { dialsSinceAnswer: 3 }, outcome: rests() },
  {
    when: 'no attempts are left and requests wait',
    state: { dialsSinceAnswer: 3 },
    event: { requestsWait: true },
    outcome: rests(),
  },
  { when: 'nothing is ever dialled again', policy: { maxAttempts: 0 }, outcome: rests() },
];

const cellC: Way[] = [
  {
    when: 'within the budget',
    outcome: { to: { name: 'connecting', attempt: 2, known: true }, effects: ['dial'] },
  },
  {
    when: 'beyond the budget while a request waits',
    state: { attempt: 4 },
    event: { requestsWait: true },
    outcome: { to: { name: 'connecting', attempt: 4, known: true }, effects: ['dial'] },
  },
  { when: 'beyond the budget when no request waits', state: { attempt: 4 }, outcome: rests() },
  {
    when: 'the last of the budget',
    state: { attempt: 3, known: false },
    outcome: { to: { name: 'connecting', attempt: 3, known: false }, effects: ['dial'] },
  },
];

const dials = (known: boolean): Outcome => ({
  to: { name: 'connecting', attempt: 1, known },
  effects: ['dial'],
});

/** Every state with every event: a missing cell does not compile. */
const expected: { [N in Name]: { [T in Type]: Outcome | Way[] } } = {
  idle: {
    'request-made': dials(false),
    'handshake-done': 'nothing',
    'dial-failed': 'nothing',
    'channel-ended': 'nothing',
    answered: 'nothing',
    'delay-over': 'nothing',
    'close-requested': closes,
  },
  connecting: {
    'request-made': 'nothing',
    'handshake-done': {
      to: { name: 'ready', dialsSinceAnswer: 1, ...readiness },
      effects: ['send-waiting'],
    },
    'dial-failed': cellA,
    'channel-ended': cellA,
    answered: { to: { name: 'connecting', attempt: 0 }, effects: [] },
    'delay-over': 'nothing',
    'close-requested': closes,
  },
  ready: {
    'request-made': 'nothing',
    'handshake-done': 'nothing',
    'dial-failed': 'nothing',
    'channel-ended': cellB,
    answered: [
      {
        when: 'dials were made since the last answer',
        outcome: { to: { name: 'ready', dialsSinceAnswer: 0 }, effects: [] },
      },
      {
        when: 'no dials were made since the last answer',
        state: { dialsSinceAnswer: 0 },
        outcome: 'nothing',
      },
    ],
    'delay-over': 'nothing',
    'close-requested': closes,
  },
  reconnecting: {
    'request-made': 'nothing',
    'handshake-done': 'nothing',
    'dial-failed': 'nothing',
    'channel-ended': 'nothing',
    answered: 'nothing',
    'delay-over': cellC,
    'close-requested': closes,
  },
  resting: {
    'request-made': [
      { when: 'the server is known', outcome: dials(true) },
      { when: 'it is not', state: { known: false }, outcome: dials(false) },
    ],
    'handshake-done': 'nothing',
    'dial-failed': 'nothing',
    'channel-ended': 'nothing',
    answered: 'nothing',
    'delay-over': 'nothing',
    'close-requested': closes,
  },
  closed: {
    'request-made': 'nothing',
    'handshake-done': 'nothing',
    'dial-failed': 'nothing',
    'channel-ended': 'nothing',
    answered: 'nothing',
    'delay-over': 'nothing',
    'close-requested': 'nothing',
  },
};

const rows = Object.values(states).flatMap((state) =>
  Object.values(events).flatMap((event) => {
    const cell = expected[state.name][event.type];
    const ways: Way[] = Array.isArray(cell) ? cell : [{ when: 'always', outcome: cell }];
    return ways.map((way) => ({ ...way, name: state.name, type: event.type }));
  }),
);

describe('transition', () => {
  it.each(rows)('$name, $type: $when', ({ name, type, outcome, ...way }) => {
    const next = transition(
      { ...states[name], ...way.state } as ConnectionState,
      { ...events[type], ...way.event } as ConnectionEvent,
      { ...policy, ...way.policy },
    );
    if (outcome === 'nothing') {
      expect(next).toBeUndefined();
      return;
    }
    expect(next?.state).toMatchObject(outcome.to);
    expect(next?.effects.map((effect) => effect.type)).toEqual(outcome.effects);
  });

  it('carries the reason and the delay into the effects', () => {
    const event = { ...events['channel-ended'], reason: elsewhere };
    expect(transition(states.ready, event, policy)?.effects).toEqual([
      { type: 'close-channel' },
      { type: 'wait', ms: 200 },
      { type: 'settle', reason: elsewhere },
    ]);
    expect(
      transition({ ...states.ready, dialsSinceAnswer: 3 }, event, policy)?.effects,
    ).toContainEqual({
      type: 'fail-all',
      reason: elsewhere,
    });
  });

  it('has the former server, if it is another', () => {
    const formerServer = { name: 'other', version: '1' };
    const event = { ...events['handshake-done'], formerServer };
    expect(transition(states.connecting, event, policy)?.state).toMatchObject({ formerServer });
    expect(
      transition(states.connecting, events['handshake-done'], policy)?.state,
    ).not.toHaveProperty('formerServer');
  });
});
