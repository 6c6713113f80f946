import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Picture,
  type PictureData,
  type RecordedLine,
  type StateName,
  type Subscription,
} from '../src/index.ts';
import { anyLine } from './support/lines.ts';
import { BEGIN, pictureOf, STORY, type ShortLine } from './support/picture-of.ts';

const asJson = (picture: Picture): string => JSON.stringify(picture);
const copyOf = (picture: Picture, limits?: object): Picture =>
  Picture.from(JSON.parse(asJson(picture)) as PictureData, limits);

it('a picture that was written and read goes on as the one that was not', () => {
  const limits = { maxCalls: 3, maxEvents: 3, maxStates: 2 };
  const lines = fc.array(anyLine, { maxLength: 40 });
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const one = new Picture(limits);
      for (const line of before) one.apply(line);
      const other = copyOf(one, limits);
      expect(asJson(other)).toBe(asJson(one));
      for (const picture of [one, other]) for (const line of after) picture.apply(line);
      expect(asJson(other)).toBe(asJson(one));
    }),
    { numRuns: 500 },
  );
});

it('counts of calls are right whatever the lines say', () => {
  fc.assert(
    fc.property(fc.array(anyLine, { maxLength: 60 }), (lines) => {
      const picture = new Picture();
      for (const line of lines) picture.apply(line);
      const servers = [...picture.servers.values()];
      const inFlight = [...picture.inFlight];
      for (const { name, inFlight: count, totals } of servers) {
        expect(count).toBe(inFlight.filter(({ server }) => server === name).length);
        expect(totals.calls).toBe(picture.ended.filter(({ server }) => server === name).length);
      }
    }),
    { numRuns: 500 },
  );
});

it('takes times of any size', () => {
  const picture = new Picture();
  for (const at of [1, 1e300, 2]) {
    picture.apply({ type: 'notification', at, server: 'a', method: 'pong' });
  }
  expect(picture.at).toBe(1e300);
  expect(picture.servers.get('a')?.totals.events).toBe(3);
});

describe('a call that was lost with its connection', () => {
  it('says why it was sent again', () => {
    const [first, second] = pictureOf(...STORY).find(1)?.attempts ?? [];
    expect(first).toMatchObject({ attempt: 1, id: 7 });
    expect(first).not.toHaveProperty('cause');
    expect(second).toMatchObject({
      attempt: 2,
      id: 9,
      cause: { code: 'connection-lost' },
      lostAt: first && first.at + 10,
    });
  });

  it('says the loss before each attempt, and not why dials failed meanwhile', () => {
    const server = 'market';
    const lost = (at: number, code: string): RecordedLine => ({
      type: 'state',
      server,
      at,
      state: 'reconnecting',
      reason: { code, message: code },
    });
    const ready = (at: number): RecordedLine => ({ type: 'state', server, at, state: 'ready' });
    const sent = (at: number, attempt: number): RecordedLine => ({
      type: 'attempt',
      server,
      at,
      call: 1,
      attempt,
    });
    const picture = pictureOf(
      lost(1, 'of-no-call'),
      ready(2),
      { type: 'call', server, at: 3, call: 1, method: 'tools/call' },
      sent(3, 1),
      lost(4, 'connection-lost'),
      lost(5, 'connect-failed'),
      ready(6),
      sent(7, 2),
      lost(8, 'heartbeat'),
      lost(9, 'connect-failed'),
      ready(10),
      sent(11, 3),
    );
    const causes = picture.find(1)?.attempts.map(({ cause }) => cause?.code);
    expect(causes).toEqual([undefined, 'connection-lost', 'heartbeat']);
  });

  it('counts once, and the connection as restored', () => {
    const market = pictureOf(...STORY).servers.get('market');
    expect(market?.totals).toMatchObject({
      calls: 2,
      reconnects: 1,
      errors: { answered: 1, 'outcome-unknown': 0 },
      events: 2,
    });
    expect(market?.latenciesOf.get('search')?.count).toBe(1);
  });
});

it('what is too much is dropped, and what is in flight is kept', () => {
  const picture = new Picture({ maxCalls: 10, maxEvents: 10 });
  picture.apply({ type: 'call', at: 0, server: 'a', call: 0, method: 'ping' });
  for (let call = 1; call <= 1000; call++) {
    picture.apply({ type: 'call', at: call, server: 'a', call, method: 'ping' });
    picture.apply({ type: 'end', at: call, server: 'a', call, outcome: 'result', durationMs: 1 });
    picture.apply({ type: 'notification', at: call, server: 'a', method: 'm' });
    picture.apply({ type: 'state', at: call, server: `s${call}`, state: 'ready' });
  }
  expect(picture.ended.length).toBeLessThanOrEqual(13);
  expect(picture.events.length).toBeLessThanOrEqual(13);
  expect(picture.events.at(-1)).toMatchObject({ at: 1000, seq: 1000 });
  expect([...picture.inFlight].map(({ call }) => call)).toEqual([0]);
  expect(picture.servers.size).toBe(1000);
  // Of one server more than is kept.
  expect(picture.lost).toBe(1);
});

describe('subscriptions', () => {
  const uri = 'alerts://open';
  const asked = (call: number, method: string, outcome: 'result' | 'error'): ShortLine[] => [
    { type: 'call', call, method, name: uri },
    { type: 'end', call, outcome, durationMs: 1 },
  ];
  const updated = (changed: unknown): ShortLine => ({
    type: 'notification',
    method: 'notifications/resources/updated',
    params: { uri: changed },
  });
  const after = (...lines: readonly ShortLine[]): readonly Subscription[] =>
    pictureOf(...lines).servers.get('market')?.subscriptions ?? [];
  const subscribed = asked(1, 'resources/subscribe', 'result');

  it('begin and end with what the server answers', () => {
    expect(after(...subscribed)).toMatchObject([{ uri, updates: 0 }]);
    expect(after(...asked(1, 'resources/subscribe', 'error'))).toEqual([]);
    expect(after(...subscribed, ...asked(2, 'resources/read', 'result'))).toHaveLength(1);
    expect(after(...subscribed, ...asked(2, 'resources/subscribe', 'result'))).toHaveLength(1);
    expect(after(...subscribed, ...asked(2, 'resources/unsubscribe', 'error'))).toHaveLength(1);
    expect(after(...subscribed, ...asked(2, 'resources/unsubscribe', 'result'))).toEqual([]);
  });

  it('are not told of a server that was watched itself: each is of one of its clients', () => {
    expect(after({ type: 'sessions', open: [] }, ...subscribed)).toEqual([]);
  });

  it('outlive a connection, and not the client', () => {
    const state = (name: StateName): ShortLine => ({ type: 'state', state: name });
    expect(after(...subscribed, state('reconnecting'), state('ready'))).toHaveLength(1);
    expect(after(...subscribed, state('closed'))).toEqual([]);
    expect(after(...subscribed, state('idle'))).toEqual([]);
  });

  it('count the changes of the resource and of its parts', () => {
    const lines = [uri, `${uri}/7`, 'alerts://openings', 7].map(updated);
    const [subscription] = after(...subscribed, ...lines, { type: 'state', state: 'ready' });
    expect(subscription).toMatchObject({ updates: 2, updatedAt: BEGIN + 40 });
    expect(after(updated(uri))).toEqual([]);
    expect(after(...subscribed, { type: 'notification', method: 'm' })).toMatchObject([
      { updates: 0 },
    ]);
  });
});
