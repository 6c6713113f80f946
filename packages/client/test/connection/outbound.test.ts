import type { JSONRPCRequest } from '@modelcontextprotocol/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BrokenStreamError, type BrokenStream } from '../../src/channels/channel.ts';
import type { InitializeReplay } from '../../src/connection/initialize.ts';
import type { LocalAnswers } from '../../src/connection/local-answers.ts';
import type { Port } from '../../src/connection/port.ts';
import type { RequestContext } from '../../src/connection/request-context.ts';
import { Ledger, type LedgerEntry } from '../../src/connection/ledger.ts';
import { Outbound } from '../../src/connection/outbound.ts';
import type { DialedChannel } from '../../src/connection/dialed-channel.ts';
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

/** One attempt to resume a stream. */
interface ResumedStream {
  broken: BrokenStream;
  fail: (error: unknown) => Promise<void>;
}

class FakeChannel {
  readonly posts: Post[] = [];
  readonly resumed: ResumedStream[] = [];

  resume(broken: BrokenStream): Promise<void> {
    return new Promise((_resolve, reject) => {
      const fail = async (error: unknown): Promise<void> => {
        reject(error as Error);
        await vi.advanceTimersByTimeAsync(0);
      };
      this.resumed.push({ broken, fail });
    });
  }

  sendRequest(request: JSONRPCRequest, onWire: () => void): Promise<void> {
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
    isSafe: ({ context }) => context.idempotent === true,
    maxLosses: 2,
  });
  dialed: FakeChannel | undefined = new FakeChannel();
  readonly handshake = { ping: { method: 'ping' }, repeatsIds: false };
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
    dialed: () => this.dialed as DialedChannel | undefined,
    handshake: this.handshake as InitializeReplay,
    // The channel is of the legacy era, where nothing is answered here.
    localAnswers: {} as LocalAnswers,
    onWaiting: () => {},
    check: new SessionCheck({
      handshake: this.handshake as InitializeReplay,
      port: { ask: () => Promise.resolve({}), cancel: () => {} } as unknown as Port,
      answersChallenges: false,
    }),
  });

  enter(context: Partial<RequestContext> = {}, params: Record<string, unknown> = {}): LedgerEntry {
    return this.ledger.enter(
      { method: 'tools/call', params },
      { certainty: 'not-sent', ...context },
      { answered: () => {}, failed: (error) => this.failures.push(error) },
    );
  }

  /** Enters a request and sends it. */
  send(context: Partial<RequestContext> = {}): LedgerEntry {
    const entry = this.enter(context);
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
  it('sends a request, and notes when it has left', () => {
    const rig = new Rig();
    const entry = rig.send();
    expect(entry).toMatchObject({ assigned: true, context: { certainty: 'not-sent' } });
    rig.dialed?.post.onWire();
    expect(entry.context.certainty).toBe('outcome-unknown');
  });

  it('sends waiting requests when there is a session, in the order in which they were made', () => {
    const rig = new Rig();
    const { dialed } = rig;
    rig.dialed = undefined;
    const ids = [rig.send(), rig.send(), rig.send()].map(({ id }) => id);
    expect(dialed?.posts).toEqual([]);
    rig.dialed = dialed;
    rig.outbound.sendWaiting();
    rig.outbound.sendWaiting();
    expect(dialed?.posts.map(({ request }) => request.id)).toEqual(ids);
  });

  it('keeps a request that an ending channel did not run for the next channel', async () => {
    const rig = new Rig();
    const { dialed } = rig;
    const entry = rig.send();
    const { id } = entry;
    await dialed?.post.fail(lost('refused'));
    expect(dialed?.posts).toHaveLength(1);
    expect(entry.assigned).toBe(false);
    expect(entry.id).not.toBe(id);
    rig.dialed = new FakeChannel();
    rig.outbound.sendWaiting();
    expect(rig.dialed.post.request.id).toBe(entry.id);
  });

  it('sends it at once if the next session is ready already', async () => {
    const rig = new Rig();
    const { dialed } = rig;
    const entry = rig.send();
    rig.dialed = new FakeChannel();
    await dialed?.post.fail(lost('not-sent'));
    expect(rig.dialed.post.request.id).toBe(entry.id);
  });

  it('defers a request as often as the server asks, for longer each time, and at least as long as asked', async () => {
    const rig = new Rig();
    const entry = rig.send();
    const posts = rig.dialed?.posts ?? [];
    for (const [error, ms] of [
      [status(503), 100],
      [status(429, 700), 700],
      [new LongwireError('refused', { code: 'connect-failed', certainty: 'not-sent' }), 400],
      [status(503, 5000), 5000],
    ] as const) {
      const count = posts.length;
      await rig.dialed?.post.fail(error);
      rig.outbound.sendWaiting();
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
  ])('with %d ms left, a request that is deferred by 400 %s', async (leftMs, what) => {
    const rig = new Rig();
    rig.send({ dueAt: performance.now() + leftMs });
    const error = status(503, 400);
    await rig.dialed?.post.fail(error);
    expect(rig.failures).toEqual(what === 'waits' ? [] : [error]);
    expect(rig.ledger.size).toBe(what === 'waits' ? 1 : 0);
    rig.outbound.allSettled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('resends a safe request that may have run, so many times', async () => {
    const rig = new Rig();
    rig.send({ idempotent: true });
    for (const count of [1, 2]) {
      rig.dialed?.post.onWire();
      await rig.dialed?.post.fail(lost('outcome-unknown'));
      await vi.advanceTimersByTimeAsync(1000);
      expect(rig.dialed?.posts).toHaveLength(count + 1);
    }
    rig.dialed?.post.onWire();
    await rig.dialed?.post.fail(lost('outcome-unknown'));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(rig.dialed?.posts).toHaveLength(3);
    expect(rig.failures).toMatchObject([{ code: 'connection-lost', certainty: 'outcome-unknown' }]);
  });

  it('fails an unsafe request that may have run', async () => {
    const rig = new Rig();
    rig.send();
    rig.dialed?.post.onWire();
    await rig.dialed?.post.fail(lost('outcome-unknown'));
    expect(rig.failures).toMatchObject([{ code: 'connection-lost', certainty: 'outcome-unknown' }]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([status(400), status(429, 60_000)])(
    'does not report a request as not run that may have run before: $message',
    async (error) => {
      const rig = new Rig();
      const entry = rig.send({ idempotent: true, dueAt: performance.now() + 10_000 });
      rig.dialed?.post.onWire();
      await rig.dialed?.post.fail(lost('outcome-unknown'));
      await vi.advanceTimersByTimeAsync(1000);
      rig.dialed?.post.onWire();
      await rig.dialed?.post.fail(error);
      expect(entry.context.certainty).toBe('outcome-unknown');
      expect(rig.failures).toMatchObject([{ certainty: 'outcome-unknown' }]);
    },
  );

  it('fails with the error of the server, and of a message that JSON cannot express', async () => {
    const rig = new Rig();
    const error = status(400);
    rig.send();
    await rig.dialed?.post.fail(error);
    rig.send();
    await rig.dialed?.post.fail(new TypeError('circular'));
    expect(rig.failures).toEqual([
      error,
      expect.objectContaining({ code: 'invalid-arguments', certainty: 'not-sent' }),
    ]);
    expect(rig.ledger.size).toBe(0);
  });

  it('ignores the end of a POST whose request was settled or resent', async () => {
    const rig = new Rig();
    const answered = rig.send();
    rig.ledger.answered({ jsonrpc: '2.0', id: answered.id, result: {} });
    await rig.dialed?.post.fail(lost('outcome-unknown'));
    const again = rig.send();
    const late = rig.dialed?.post;
    rig.ledger.requeue(again, 'not-sent');
    late?.onWire();
    await late?.fail(lost('outcome-unknown'));
    expect(again.context.certainty).toBe('not-sent');
    expect(rig.ledger.waiting()).toEqual([again]);
    expect(rig.failures).toEqual([]);
  });

  it.each([lost('refused'), lost('not-sent'), status(503)])(
    'fails a request of the connection itself with its session: $message, $certainty',
    async (error) => {
      const rig = new Rig();
      rig.send({ internal: true });
      await rig.dialed?.post.fail(error);
      rig.dialed = undefined;
      rig.ledger.lose(true);
      await vi.advanceTimersByTimeAsync(10_000);
      rig.dialed = new FakeChannel();
      rig.outbound.sendWaiting();
      expect(rig.dialed.posts).toEqual([]);
      expect(rig.ledger.size).toBe(0);
    },
  );

  it('leaves no timer of a request that was cancelled', async () => {
    const rig = new Rig();
    const entry = rig.send();
    await rig.dialed?.post.fail(status(503));
    expect(vi.getTimerCount()).toBe(1);
    rig.outbound.settled(entry);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a server that runs a request once, however often it comes', () => {
  /** A request that is not safe, whose POST got no answer. */
  const sentInVain = async (error: LongwireError = lost('outcome-unknown')) => {
    const rig = new Rig();
    rig.handshake.repeatsIds = true;
    const entry = rig.send();
    const dialed = rig.dialed as FakeChannel;
    dialed.post.onWire();
    await dialed.post.fail(error);
    return { rig, entry, dialed };
  };

  it.each([lost('outcome-unknown'), status(502)])(
    'is sent it again under its id: $message',
    async (error) => {
      const { rig, entry, dialed } = await sentInVain(error);
      await vi.advanceTimersByTimeAsync(100);
      const [first, second, ...more] = dialed.posts.map(({ request }) => request);
      expect(second).toEqual(first);
      expect(more).toEqual([]);
      expect([rig.ledger.find(entry.id), rig.failures]).toEqual([entry, []]);
    },
  );

  it('is sent it again on the channel that resumes the session', async () => {
    const { rig, entry, dialed } = await sentInVain();
    rig.dialed = undefined;
    await vi.advanceTimersByTimeAsync(1000);
    rig.dialed = new FakeChannel();
    rig.outbound.sendWaiting();
    rig.outbound.sendWaiting();
    expect(dialed.posts).toHaveLength(1);
    expect(rig.dialed.posts.map(({ request }) => request.id)).toEqual([entry.id]);
  });

  it('is not sent it again once the session is lost', async () => {
    const { rig } = await sentInVain();
    rig.dialed = undefined;
    expect(rig.ledger.lose(true)).toHaveLength(1);
    rig.dialed = new FakeChannel();
    rig.outbound.sendWaiting();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(rig.dialed.posts).toEqual([]);
  });

  it.each([status(503), lost('refused'), lost('outcome-unknown')])(
    'is not asked under another id what may have run, and not for ever: $message, $certainty',
    async (error) => {
      const { rig, dialed } = await sentInVain();
      for (const count of [2, 3]) {
        await vi.advanceTimersByTimeAsync(10_000);
        expect(dialed.posts).toHaveLength(count);
        expect(new Set(dialed.posts.map(({ request }) => request.id)).size).toBe(1);
        await dialed.post.fail(error);
      }
      await vi.advanceTimersByTimeAsync(10_000);
      expect(dialed.posts).toHaveLength(3);
      expect(rig.failures).toMatchObject([{ certainty: 'outcome-unknown' }]);
      expect(rig.ledger.size).toBe(0);
    },
  );

  it('leaves no timer of a request that was settled', async () => {
    const { rig, entry } = await sentInVain();
    expect(vi.getTimerCount()).toBe(1);
    rig.outbound.settled(entry);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a stream that broke off', () => {
  const brokenOff = (entry: LedgerEntry, how: Partial<BrokenStream> = {}): BrokenStreamError => {
    const broken = { requestId: entry.id, askedDelayMs: undefined, madeProgress: true, ...how };
    return new BrokenStreamError('broke off', { broken, cause: undefined });
  };

  /** A request that has left, and whose stream broke off. */
  const interrupted = async (
    context: Partial<RequestContext> = {},
    how: Partial<BrokenStream> = {},
  ) => {
    const rig = new Rig();
    const entry = rig.send(context);
    const dialed = rig.dialed as FakeChannel;
    dialed.post.onWire();
    await dialed.post.fail(brokenOff(entry, how));
    return { rig, entry, dialed };
  };

  it('is resumed after the delay, and the request is not resent', async () => {
    const { rig, entry, dialed } = await interrupted();
    await vi.advanceTimersByTimeAsync(99);
    expect(dialed.resumed).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(dialed.resumed).toMatchObject([{ broken: { requestId: entry.id } }]);
    expect(dialed.posts).toHaveLength(1);
    expect(rig.ledger.find(entry.id)).toBe(entry);
    expect(rig.failures).toEqual([]);
  });

  it('is not resumed before the delay that the server asks for', async () => {
    const { dialed } = await interrupted({}, { askedDelayMs: 500 });
    await vi.advanceTimersByTimeAsync(499);
    expect(dialed.resumed).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(dialed.resumed).toHaveLength(1);
  });

  it('is not resumed any more after too many attempts without progress', async () => {
    const { rig, entry, dialed } = await interrupted();
    for (let i = 0; i < 5; i++) {
      await vi.advanceTimersByTimeAsync(1000);
      await dialed.resumed.at(-1)?.fail(brokenOff(entry));
    }
    expect(rig.failures).toEqual([]);
    for (let i = 0; i < 2; i++) {
      await vi.advanceTimersByTimeAsync(1000);
      await dialed.resumed.at(-1)?.fail(brokenOff(entry, { madeProgress: false }));
    }
    expect(rig.failures).toMatchObject([{ code: 'connection-lost', certainty: 'outcome-unknown' }]);
    expect(dialed.posts).toHaveLength(1);
  });

  it('that is refused is settled by the table: a safe request is resent', async () => {
    const unsafe = await interrupted();
    await vi.advanceTimersByTimeAsync(100);
    await unsafe.dialed.resumed[0]?.fail(lost('outcome-unknown'));
    expect(unsafe.rig.failures).toMatchObject([{ certainty: 'outcome-unknown' }]);
    const safe = await interrupted({ idempotent: true });
    await vi.advanceTimersByTimeAsync(100);
    await safe.dialed.resumed[0]?.fail(lost('outcome-unknown'));
    await vi.advanceTimersByTimeAsync(100);
    expect(safe.rig.failures).toEqual([]);
    expect(safe.dialed.posts).toHaveLength(2);
  });

  it('waits for the next channel of its session, and is resumed there once', async () => {
    const { rig, entry } = await interrupted();
    rig.dialed = undefined;
    await vi.advanceTimersByTimeAsync(60_000);
    rig.dialed = new FakeChannel();
    rig.outbound.sendWaiting();
    rig.outbound.sendWaiting();
    expect(rig.dialed.resumed).toMatchObject([{ broken: { requestId: entry.id } }]);
    expect(rig.dialed.posts).toEqual([]);
  });

  it('is not resumed once its request has another id', async () => {
    const { rig, entry } = await interrupted({ idempotent: true });
    rig.dialed = undefined;
    rig.ledger.lose(true);
    rig.dialed = new FakeChannel();
    rig.outbound.sendWaiting();
    expect(rig.dialed.resumed).toEqual([]);
    expect(rig.dialed.posts.map(({ request }) => request.id)).toEqual([entry.id]);
  });

  it('leaves no timer behind when its request is settled', async () => {
    const { rig, entry } = await interrupted();
    rig.ledger.remove(entry.id);
    rig.outbound.settled(entry);
    expect(vi.getTimerCount()).toBe(0);
  });
});
