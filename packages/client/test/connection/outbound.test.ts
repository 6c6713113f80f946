import type { JSONRPCRequest } from '@modelcontextprotocol/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BrokenStreamError, type BrokenStream } from '../../src/channels/channel.ts';
import type { CallMark } from '../../src/connection/call-mark.ts';
import { Ledger, type LedgerEntry } from '../../src/connection/ledger.ts';
import { Outbound } from '../../src/connection/outbound.ts';
import type { Link } from '../../src/connection/link.ts';
import { SessionCheck } from '../../src/connection/session-check.ts';
import {
  ConnectionLostError,
  HttpStatusError,
  LongwireError,
  type Certainty,
} from '../../src/errors.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Post {
  request: JSONRPCRequest;
  onWire: () => void;
  accept: () => void;
  fail: (error: unknown) => Promise<void>;
}

/** One time that a stream was gone on with. */
interface Continuation {
  broken: BrokenStream;
  fail: (error: unknown) => Promise<void>;
}

class FakeLink {
  readonly posts: Post[] = [];
  readonly continuations: Continuation[] = [];

  goOn(broken: BrokenStream): Promise<void> {
    return new Promise((_resolve, reject) => {
      const fail = async (error: unknown): Promise<void> => {
        reject(error as Error);
        await vi.advanceTimersByTimeAsync(0);
      };
      this.continuations.push({ broken, fail });
    });
  }

  ask(request: JSONRPCRequest, onWire: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = async (error: unknown): Promise<void> => {
        reject(error as Error);
        await vi.advanceTimersByTimeAsync(0);
      };
      this.posts.push({ request, onWire, accept: resolve, fail });
    });
  }

  get post(): Post {
    const post = this.posts.at(-1);
    if (post === undefined) throw new Error('nothing was sent');
    return post;
  }
}

class Rig {
  readonly ledger: Ledger = new Ledger({
    isSafe: ({ mark }) => mark.idempotent === true,
    maxLosses: 2,
  });
  link: FakeLink | undefined = new FakeLink();
  readonly failures: LongwireError[] = [];
  readonly outbound: Outbound = new Outbound({
    ledger: this.ledger,
    retry: {
      maxAttempts: 2,
      firstDelayMs: 100,
      maxDelayMs: 1000,
      firstConnect: false,
      random: () => 1,
    },
    link: () => this.link as Link | undefined,
    envelope: () => undefined,
    answerHere: () => false,
    check: new SessionCheck({
      ping: () => Promise.resolve(),
      giveUp: () => {},
      answersChallenges: false,
    }),
  });

  enter(mark: Partial<CallMark> = {}, params: Record<string, unknown> = {}): LedgerEntry {
    return this.ledger.enter(
      { method: 'tools/call', params },
      { certainty: 'not-sent', ...mark },
      { answered: () => {}, failed: (error) => this.failures.push(error) },
    );
  }

  /** Enters a request and sends it. */
  send(mark: Partial<CallMark> = {}): LedgerEntry {
    const entry = this.enter(mark);
    this.outbound.send(entry);
    return entry;
  }
}

const lost = (certainty: Certainty) => new ConnectionLostError('gone', { certainty });
const status = (code: number, retryAfterMs?: number) =>
  new HttpStatusError(`status ${code}`, {
    status: code,
    excerpt: '',
    certainty: 'refused',
    retryAfterMs,
  });

describe('Outbound', () => {
  it('hands a request over, and says when it has left', () => {
    const rig = new Rig();
    const entry = rig.send();
    expect(entry).toMatchObject({ handedOver: true, mark: { certainty: 'not-sent' } });
    rig.link?.post.onWire();
    expect(entry.mark.certainty).toBe('outcome-unknown');
  });

  it('sends what waits when there is a session, in the order of its making', () => {
    const rig = new Rig();
    const { link } = rig;
    rig.link = undefined;
    const ids = [rig.send(), rig.send(), rig.send()].map(({ id }) => id);
    expect(link?.posts).toEqual([]);
    rig.link = link;
    rig.outbound.release();
    rig.outbound.release();
    expect(link?.posts.map(({ request }) => request.id)).toEqual(ids);
  });

  it('keeps what a channel that is ending did not run, for the next', async () => {
    const rig = new Rig();
    const { link } = rig;
    const entry = rig.send();
    const { id } = entry;
    await link?.post.fail(lost('refused'));
    expect(link?.posts).toHaveLength(1);
    expect(entry.handedOver).toBe(false);
    expect(entry.id).not.toBe(id);
    rig.link = new FakeLink();
    rig.outbound.release();
    expect(rig.link.post.request.id).toBe(entry.id);
  });

  it('sends it at once where the next session is there already', async () => {
    const rig = new Rig();
    const { link } = rig;
    const entry = rig.send();
    rig.link = new FakeLink();
    await link?.post.fail(lost('not-sent'));
    expect(rig.link.post.request.id).toBe(entry.id);
  });

  it('puts off what the server does not want now, ever longer, and at least as asked', async () => {
    const rig = new Rig();
    const entry = rig.send();
    const posts = rig.link?.posts ?? [];
    for (const [error, ms] of [
      [status(503), 100],
      [status(429, 700), 700],
      [new LongwireError('refused', { code: 'connect-failed', certainty: 'not-sent' }), 400],
      [status(503, 5000), 5000],
    ] as const) {
      const count = posts.length;
      await rig.link?.post.fail(error);
      rig.outbound.release();
      await vi.advanceTimersByTimeAsync(ms - 1);
      expect(posts).toHaveLength(count);
      await vi.advanceTimersByTimeAsync(1);
      expect(posts).toHaveLength(count + 1);
    }
    expect(new Set(posts.map(({ request }) => request.id)).size).toBe(posts.length);
    expect(posts.at(-1)?.request.id).toBe(entry.id);
    expect(rig.failures).toEqual([]);
  });

  it.each([
    [399, 'fails at once'],
    [400, 'fails at once'],
    [401, 'waits'],
  ])('with %d ms left, a request that is put off by 400 %s', async (leftMs, what) => {
    const rig = new Rig();
    rig.send({ dueAt: performance.now() + leftMs });
    const error = status(503, 400);
    await rig.link?.post.fail(error);
    expect(rig.failures).toEqual(what === 'waits' ? [] : [error]);
    expect(rig.ledger.size).toBe(what === 'waits' ? 1 : 0);
    rig.outbound.allSettled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('sends again what may have run and is safe, so many times', async () => {
    const rig = new Rig();
    rig.send({ idempotent: true });
    for (const count of [1, 2]) {
      rig.link?.post.onWire();
      await rig.link?.post.fail(lost('outcome-unknown'));
      await vi.advanceTimersByTimeAsync(1000);
      expect(rig.link?.posts).toHaveLength(count + 1);
    }
    rig.link?.post.onWire();
    await rig.link?.post.fail(lost('outcome-unknown'));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(rig.link?.posts).toHaveLength(3);
    expect(rig.failures).toMatchObject([{ code: 'connection-lost', certainty: 'outcome-unknown' }]);
  });

  it('fails what may have run and is not safe', async () => {
    const rig = new Rig();
    rig.send();
    rig.link?.post.onWire();
    await rig.link?.post.fail(lost('outcome-unknown'));
    expect(rig.failures).toMatchObject([{ code: 'connection-lost', certainty: 'outcome-unknown' }]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([status(400), status(429, 60_000)])(
    'does not say of what may have run before that it did not: $message',
    async (error) => {
      const rig = new Rig();
      const entry = rig.send({ idempotent: true, dueAt: performance.now() + 10_000 });
      rig.link?.post.onWire();
      await rig.link?.post.fail(lost('outcome-unknown'));
      await vi.advanceTimersByTimeAsync(1000);
      rig.link?.post.onWire();
      await rig.link?.post.fail(error);
      expect(entry.mark.certainty).toBe('outcome-unknown');
      expect(rig.failures).toMatchObject([{ certainty: 'outcome-unknown' }]);
    },
  );

  it('fails with what the server said, and with what is no message at all', async () => {
    const rig = new Rig();
    const error = status(400);
    rig.send();
    await rig.link?.post.fail(error);
    rig.send();
    await rig.link?.post.fail(new TypeError('circular'));
    expect(rig.failures).toEqual([
      error,
      expect.objectContaining({ code: 'invalid-arguments', certainty: 'not-sent' }),
    ]);
    expect(rig.ledger.size).toBe(0);
  });

  it('ignores how a POST ends whose request was settled or sent again', async () => {
    const rig = new Rig();
    const answered = rig.send();
    rig.ledger.answered({ jsonrpc: '2.0', id: answered.id, result: {} });
    await rig.link?.post.fail(lost('outcome-unknown'));
    const again = rig.send();
    const late = rig.link?.post;
    rig.ledger.putBack(again, 'not-sent');
    late?.onWire();
    await late?.fail(lost('outcome-unknown'));
    expect(again.mark.certainty).toBe('not-sent');
    expect(rig.ledger.waiting()).toEqual([again]);
    expect(rig.failures).toEqual([]);
  });

  it.each([lost('refused'), lost('not-sent'), status(503)])(
    'leaves no request of the connection’s own to the next session: $message, $certainty',
    async (error) => {
      const rig = new Rig();
      rig.send({ internal: true });
      await rig.link?.post.fail(error);
      rig.link = undefined;
      rig.ledger.lose(true);
      await vi.advanceTimersByTimeAsync(10_000);
      rig.link = new FakeLink();
      rig.outbound.release();
      expect(rig.link.posts).toEqual([]);
      expect(rig.ledger.size).toBe(0);
    },
  );

  it('leaves no timer of a request that was given up', async () => {
    const rig = new Rig();
    const entry = rig.send();
    await rig.link?.post.fail(status(503));
    expect(vi.getTimerCount()).toBe(1);
    rig.outbound.settled(entry);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a stream that broke off', () => {
  const brokenOff = (entry: LedgerEntry, how: Partial<BrokenStream> = {}): BrokenStreamError => {
    const broken = { requestId: entry.id, askedDelayMs: undefined, gotOn: true, ...how };
    return new BrokenStreamError('broke off', { broken, cause: undefined });
  };

  /** A request that has left, and whose stream broke off. */
  const interrupted = async (mark: Partial<CallMark> = {}, how: Partial<BrokenStream> = {}) => {
    const rig = new Rig();
    const entry = rig.send(mark);
    const link = rig.link as FakeLink;
    link.post.onWire();
    await link.post.fail(brokenOff(entry, how));
    return { rig, entry, link };
  };

  it('is gone on with after the delay, and the request is not sent again', async () => {
    const { rig, entry, link } = await interrupted();
    await vi.advanceTimersByTimeAsync(99);
    expect(link.continuations).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(link.continuations).toMatchObject([{ broken: { requestId: entry.id } }]);
    expect(link.posts).toHaveLength(1);
    expect(rig.ledger.find(entry.id)).toBe(entry);
    expect(rig.failures).toEqual([]);
  });

  it('is left alone for as long as the server asks', async () => {
    const { link } = await interrupted({}, { askedDelayMs: 500 });
    await vi.advanceTimersByTimeAsync(499);
    expect(link.continuations).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(link.continuations).toHaveLength(1);
  });

  it('is given up when it gets nowhere too often, and not when it gets on', async () => {
    const { rig, entry, link } = await interrupted();
    for (let turn = 0; turn < 5; turn++) {
      await vi.advanceTimersByTimeAsync(1000);
      await link.continuations.at(-1)?.fail(brokenOff(entry));
    }
    expect(rig.failures).toEqual([]);
    for (let turn = 0; turn < 2; turn++) {
      await vi.advanceTimersByTimeAsync(1000);
      await link.continuations.at(-1)?.fail(brokenOff(entry, { gotOn: false }));
    }
    expect(rig.failures).toMatchObject([{ code: 'connection-lost', certainty: 'outcome-unknown' }]);
    expect(link.posts).toHaveLength(1);
  });

  it('that is refused is settled by the table: what is safe goes out again', async () => {
    const unsafe = await interrupted();
    await vi.advanceTimersByTimeAsync(100);
    await unsafe.link.continuations[0]?.fail(lost('outcome-unknown'));
    expect(unsafe.rig.failures).toMatchObject([{ certainty: 'outcome-unknown' }]);
    const safe = await interrupted({ idempotent: true });
    await vi.advanceTimersByTimeAsync(100);
    await safe.link.continuations[0]?.fail(lost('outcome-unknown'));
    await vi.advanceTimersByTimeAsync(100);
    expect(safe.rig.failures).toEqual([]);
    expect(safe.link.posts).toHaveLength(2);
  });

  it('waits for the next link of its session, and is gone on with there, once', async () => {
    const { rig, entry } = await interrupted();
    rig.link = undefined;
    await vi.advanceTimersByTimeAsync(60_000);
    rig.link = new FakeLink();
    rig.outbound.release();
    rig.outbound.release();
    expect(rig.link.continuations).toMatchObject([{ broken: { requestId: entry.id } }]);
    expect(rig.link.posts).toEqual([]);
  });

  it('means nothing once its request has another id', async () => {
    const { rig, entry } = await interrupted({ idempotent: true });
    rig.link = undefined;
    rig.ledger.lose(true);
    rig.link = new FakeLink();
    rig.outbound.release();
    expect(rig.link.continuations).toEqual([]);
    expect(rig.link.posts.map(({ request }) => request.id)).toEqual([entry.id]);
  });

  it('leaves no timer behind when its request is settled', async () => {
    const { rig, entry } = await interrupted();
    rig.ledger.remove(entry.id);
    rig.outbound.settled(entry);
    expect(vi.getTimerCount()).toBe(0);
  });
});
