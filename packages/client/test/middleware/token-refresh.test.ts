import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HttpStatusError } from '../../src/errors.ts';
import {
  tokenRefresh,
  type Token,
  type TokenContext,
  type TokenRefreshOptions,
} from '../../src/middleware/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { around, failure, gate, said, type Around, type Gate } from './support/around.ts';
import { until } from '../../../../test/support/until.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const refused = () =>
  new HttpStatusError('status 401', { status: 401, excerpt: '', certainty: 'refused' });

/** Gives `t1`, `t2` and so on, and notes why it was asked. */
function counting(part: Omit<Token, 'token'> = {}) {
  const asked: Pick<TokenContext, 'reason' | 'previous'>[] = [];
  const provider: TokenRefreshOptions['provider'] = ({ reason, previous }) => {
    asked.push({ reason, previous });
    return { token: `t${asked.length}`, ...part };
  };
  return { asked, provider };
}

const tokensOf = ({ asked }: Around) => asked.map(({ headers }) => headers['authorization']);

/** A server that takes these tokens and no others. */
function taking(...tokens: string[]) {
  return (request: { headers: Record<string, string> }) => {
    if (!tokens.includes(request.headers['authorization'] ?? '')) throw refused();
    return said('ok')(request as never);
  };
}

describe('a token', () => {
  it('is asked for before the first request, once for all that wait, and used by every later one', async () => {
    const { asked, provider } = counting();
    const rig = around(tokenRefresh({ provider }));
    await Promise.all([rig.call('a'), rig.call('b'), rig.call('c')]);
    await rig.call('d');
    expect(asked).toEqual([{ reason: 'first', previous: undefined }]);
    expect(tokensOf(rig)).toEqual(['Bearer t1', 'Bearer t1', 'Bearer t1', 'Bearer t1']);
  });

  it.each([
    ['expiresInMs', (): Partial<Token> => ({ expiresInMs: 600_000 })],
    ['expiresAt', (): Partial<Token> => ({ expiresAt: Date.now() + 600_000 })],
  ])('with %s is replaced before it ends', async (_name, part) => {
    const { asked, provider } = counting(part());
    const rig = around(tokenRefresh({ provider, refreshBeforeMs: 100_000 }));
    await rig.call('a');
    vi.setSystemTime(Date.now() + 499_999);
    await rig.call('b');
    vi.setSystemTime(Date.now() + 1);
    await Promise.all([rig.call('c'), rig.call('d')]);
    await rig.call('e');
    expect(asked.map(({ reason }) => reason)).toEqual(['first', 'expiry']);
    expect(tokensOf(rig)).toEqual([1, 1, 2, 2, 2].map((n) => `Bearer t${n}`));
  });

  it('that lives shorter than the time before its end is replaced at half its life', async () => {
    const { asked, provider } = counting({ expiresInMs: 10_000 });
    const rig = around(tokenRefresh({ provider }));
    await rig.call('a');
    vi.setSystemTime(Date.now() + 4999);
    await rig.call('b');
    expect(asked).toHaveLength(1);
    vi.setSystemTime(Date.now() + 1);
    await rig.call('c');
    expect(asked).toHaveLength(2);
  });

  it('without an end is replaced at an interval', async () => {
    const { asked, provider } = counting();
    const rig = around(tokenRefresh({ provider, intervalMs: 5000 }));
    await rig.call('a');
    vi.setSystemTime(Date.now() + 4999);
    await rig.call('b');
    vi.setSystemTime(Date.now() + 1);
    await rig.call('c');
    expect(asked).toEqual([
      { reason: 'first', previous: undefined },
      { reason: 'interval', previous: 't1' },
    ]);
    expect(tokensOf(rig)).toEqual(['Bearer t1', 'Bearer t1', 'Bearer t2']);
  });

  it('may be a string, in another header and without a scheme', async () => {
    const rig = around(tokenRefresh({ provider: () => 's', header: 'X-Token', scheme: '' }));
    await rig.call('a');
    expect(rig.asked[0]?.headers).toEqual({ 'x-token': 's' });
  });

  it('does not replace the request’s own', async () => {
    const { asked, provider } = counting();
    const rig = around(tokenRefresh({ provider }), () => {
      throw refused();
    });
    const error = await failureOf(rig.call('a', {}, { headers: { authorization: 'mine' } }));
    expect(error.code).toBe('unauthorized');
    expect(asked).toEqual([]);
    expect(rig.asked).toHaveLength(1);
  });
});

describe('a token that the server refuses', () => {
  it('is replaced, and the request sent once more, the handshake too', async () => {
    const { asked, provider } = counting();
    const rig = around(tokenRefresh({ provider }), taking('Bearer t2'));
    await rig.send('initialize', { internal: true }).response;
    await rig.call('a');
    expect(asked).toEqual([
      { reason: 'first', previous: undefined },
      { reason: 'refused', previous: 't1' },
    ]);
    expect(tokensOf(rig)).toEqual(['Bearer t1', 'Bearer t2', 'Bearer t2']);
  });

  it('is replaced once, however many requests it was refused to, and however late', async () => {
    const { asked, provider } = counting();
    const late = gate<void>();
    const rig = around(tokenRefresh({ provider }), async (request) => {
      const { authorization } = request.headers;
      if (request.params?.['name'] === 'late' && authorization === 'Bearer t1') await late.promise;
      return taking('Bearer t2')(request);
    });
    const slow = rig.call('late');
    await Promise.all([rig.call('a'), rig.call('b')]);
    late.open();
    await slow;
    expect(asked).toHaveLength(2);
    expect(tokensOf(rig).filter((token) => token === 'Bearer t2')).toHaveLength(3);
  });

  it('and the next one, too, fails the request', async () => {
    const { asked, provider } = counting();
    const rig = around(tokenRefresh({ provider }), taking());
    expect(await failureOf(rig.call('a'))).toBeInstanceOf(HttpStatusError);
    expect(asked).toHaveLength(2);
    expect(rig.asked).toHaveLength(2);
  });

  it('does not repeat what may have run, nor what failed otherwise', async () => {
    const { asked, provider } = counting();
    const errors = [
      failure('unauthorized', 'outcome-unknown'),
      failure('connection-lost', 'outcome-unknown'),
      failure('forbidden', 'refused'),
    ];
    for (const error of errors) {
      const rig = around(tokenRefresh({ provider }), () => {
        throw error;
      });
      expect(await failureOf(rig.call('a'))).toBe(error);
      expect(rig.asked).toHaveLength(1);
    }
    expect(asked).toHaveLength(errors.length);
  });

  it('repeats what may have run with the token of before, if it may run twice', async () => {
    const { asked, provider } = counting();
    const lost = failure('unauthorized', 'outcome-unknown');
    const rig = around(tokenRefresh({ provider }), (request) => {
      if (request.headers['authorization'] !== 'Bearer t2') throw lost;
      return said('ok')(request);
    });
    expect(await failureOf(rig.call('a'))).toBe(lost);
    expect(rig.asked).toHaveLength(1);
    // The token is refused all the same.
    await rig.call('a');
    expect(asked).toHaveLength(2);
    const again = around(tokenRefresh({ provider: counting().provider }), (request) => {
      if (request.headers['authorization'] !== 'Bearer t2') throw lost;
      return said('ok')(request);
    });
    await again.call('a', {}, { idempotent: true });
    expect(tokensOf(again)).toEqual(['Bearer t1', 'Bearer t2']);
  });

  it('and what may have run stays so when it is refused the second time', async () => {
    const rig = around(tokenRefresh({ provider: counting().provider }), ({ headers }) => {
      throw headers['authorization'] === 'Bearer t1'
        ? failure('unauthorized', 'outcome-unknown')
        : refused();
    });
    expect(await failureOf(rig.call('a', {}, { idempotent: true }))).toMatchObject({
      code: 'unauthorized',
      certainty: 'outcome-unknown',
    });
    expect(rig.asked).toHaveLength(2);
  });

  it('and no other to be had fails the request as refused', async () => {
    let count = 0;
    const provider = () => {
      if (++count > 1) throw new Error('no more');
      return 't1';
    };
    const rig = around(tokenRefresh({ provider }), taking());
    const error = await failureOf(rig.call('a'));
    expect(error).toMatchObject({ code: 'unauthorized', certainty: 'refused' });
    expect(error.cause).toMatchObject({ message: 'no more' });
  });
});

describe('a provider', () => {
  it('that fails fails the requests that wait, and is asked anew by the next', async () => {
    const tries: Gate<string>[] = [];
    const provider = () => {
      tries.push(gate());
      return (tries.at(-1) as Gate<string>).promise;
    };
    const rig = around(tokenRefresh({ provider }));
    const failing = [rig.call('a'), rig.call('b')].map(failureOf);
    await until(() => expect(tries).toHaveLength(1));
    tries[0]?.fail(new Error('it is down'));
    for (const error of await Promise.all(failing)) {
      expect(error).toMatchObject({ code: 'unauthorized', certainty: 'not-sent' });
      expect(error.message).toContain('it is down');
    }
    const later = rig.call('c');
    await until(() => expect(tries).toHaveLength(2));
    tries[1]?.open('t');
    await later;
    expect(tokensOf(rig)).toEqual(['Bearer t']);
  });

  it.each([
    ['nothing', undefined],
    ['an empty token', { token: '' }],
    ['a token that has expired', { token: 't', expiresAt: 1 }],
    ['an end that is no number', { token: 't', expiresAt: Number.NaN }],
  ])('that gives %s has failed', async (_what, given) => {
    const rig = around(tokenRefresh({ provider: () => given as Token }));
    expect(await failureOf(rig.call('a'))).toMatchObject({ code: 'unauthorized' });
    expect(rig.asked).toEqual([]);
  });

  it('that fails before the end is waited for after a pause, the old token being good', async () => {
    let count = 0;
    const provider = () => {
      if (++count > 1) throw new Error('it is down');
      return { token: 't1', expiresInMs: 100_000 };
    };
    const rig = around(tokenRefresh({ provider }));
    await rig.call('a');
    vi.setSystemTime(Date.now() + 60_000);
    await rig.call('b');
    await rig.call('c');
    expect(count).toBe(2);
    vi.setSystemTime(Date.now() + 1000);
    await rig.call('d');
    expect(count).toBe(3);
    expect(tokensOf(rig)).toEqual(Array.from({ length: 4 }, () => 'Bearer t1'));
    vi.setSystemTime(Date.now() + 40_000);
    expect(await failureOf(rig.call('e'))).toMatchObject({ code: 'unauthorized' });
    expect(rig.asked).toHaveLength(4);
  });

  it('that takes too long fails, and its signal is aborted', async () => {
    const signals: AbortSignal[] = [];
    const provider = ({ signal }: TokenContext) => {
      signals.push(signal);
      return new Promise<string>(() => {});
    };
    const rig = around(tokenRefresh({ provider, timeoutMs: 5 }));
    const error = await failureOf(rig.call('a'));
    expect(error).toMatchObject({ code: 'unauthorized', certainty: 'not-sent' });
    expect(error.message).toContain('longer than 5 ms');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it('is not waited for by a call that has ended', async () => {
    const token = gate<string>();
    const rig = around(tokenRefresh({ provider: () => token.promise }));
    const { response, stop } = rig.send('tools/call', { params: { name: 'a' } });
    const other = rig.call('b');
    const gone = failureOf(response);
    stop();
    expect((await gone).code).toBe('aborted');
    token.open('t');
    await other;
    expect(rig.asked).toHaveLength(1);
  });
});

it('a wrong option is refused by its name', () => {
  const make = (options: object) => () => tokenRefresh(options as TokenRefreshOptions);
  const provider = () => 't';
  expect(make({})).toThrow('tokenRefresh.provider: not a function');
  expect(make({ provider, refreshBefore: 1 })).toThrow('tokenRefresh.refreshBefore: no such');
  expect(make({ provider, intervalMs: 0 })).toThrow('tokenRefresh.intervalMs');
  expect(make({ provider, timeoutMs: '5' })).toThrow('tokenRefresh.timeoutMs');
  expect(make({ provider, scheme: 1 })).toThrow('tokenRefresh.scheme');
  expect(make({ provider, header: 'a b' })).toThrow('a b');
  expect(make({ provider, now: 1 })).toThrow('tokenRefresh.now');
});
