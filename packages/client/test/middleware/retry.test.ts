import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  ConnectError,
  HttpStatusError,
  LongwireError,
  ServerError,
  type Certainty,
} from '../../src/errors.ts';
import { retry, type McpRequest, type RetryCallOptions } from '../../src/middleware/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { around, failure, listed, said, type Answer } from './support/around.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const status = (code: number, certainty: Certainty = 'refused', retryAfterMs?: number) =>
  new HttpStatusError(`status ${code}`, { status: code, excerpt: '', certainty, retryAfterMs });
const serverError = (number: number) => new ServerError('it failed', { number });
const away = (code: ConnectError['code'], cause?: unknown) =>
  new ConnectError('cannot connect', { code, tried: [], cause });
const isError: Answer = () => ({ content: [], isError: true });

/** Fails with these one after the other, and then answers. */
function failing(...errors: unknown[]): Answer {
  return (request) => {
    const error = errors.shift();
    // oxlint-disable-next-line typescript/only-throw-error
    if (error !== undefined) throw error;
    return said('ok')(request);
  };
}

/** How often a call is made whose every attempt ends like this. */
async function timesOf(
  answer: Error | Answer,
  part: Partial<McpRequest> = {},
  options: RetryCallOptions = {},
): Promise<number> {
  const rig = around(retry(options), (request) => {
    if (answer instanceof Error) throw answer;
    return answer(request);
  });
  const settled = rig.call('write', {}, part).catch((error: unknown) => {
    expect(error).toBe(answer);
  });
  await vi.runAllTimersAsync();
  await settled;
  return rig.asked.length;
}

describe('what is made again', () => {
  it.each([
    ['not sent: no connection', away('connect-failed')],
    ['not sent: no connection in time', away('connect-timeout')],
    ['not sent: the server is starting', away('http-status', status(503))],
    ['not sent: connection lost', failure('connection-lost', 'not-sent')],
    ['not sent: queue full', failure('queue-full', 'not-sent')],
    ['refused: connection lost', failure('connection-lost', 'refused')],
    ['refused: 429', status(429)],
    ['refused: 503', status(503)],
  ])('%s: any call', async (_name, error) => {
    expect(await timesOf(error)).toBe(3);
  });

  it.each([-32603, -32000, -32001])(
    'JSON-RPC error %i: only what may run twice',
    async (number) => {
      expect(await timesOf(serverError(number))).toBe(1);
      expect(await timesOf(serverError(number), { idempotent: true })).toBe(3);
    },
  );

  it.each([
    ['not sent: closed', failure('closed', 'not-sent')],
    ['not sent: aborted', failure('aborted', 'not-sent')],
    ['not sent: arguments', failure('invalid-arguments', 'not-sent')],
    ['not sent: the rate limit', failure('limit-exceeded', 'not-sent')],
    ['not sent: no MCP server', away('not-mcp')],
    ['not sent: not authorized', away('unauthorized', status(401))],
    ['refused: 401', status(401)],
    ['refused: 400', status(400)],
    ['outcome unknown: lost', failure('connection-lost', 'outcome-unknown')],
    ['outcome unknown: 500', status(500, 'outcome-unknown')],
    ['outcome unknown: 503', status(503, 'outcome-unknown')],
    ['outcome unknown: timeout', failure('timeout', 'outcome-unknown')],
    ['answered: wrong params', serverError(-32602)],
    ['answered: isError', isError],
    ['not Longwire’s', new Error('a bug')],
  ])('%s: nothing, not even what may run twice', async (_name, answer) => {
    expect(await timesOf(answer, { idempotent: true })).toBe(1);
  });

  it('retryOn chooses, but never what may have run and must not run twice', async () => {
    const options = { retryOn: () => true };
    expect(await timesOf(isError, { idempotent: true }, options)).toBe(3);
    expect(await timesOf(isError, {}, options)).toBe(1);
    expect(await timesOf(serverError(-32602), { idempotent: true }, options)).toBe(3);
    expect(await timesOf(serverError(-32602), {}, options)).toBe(1);
    const lost = failure('connection-lost', 'outcome-unknown');
    expect(await timesOf(lost, { idempotent: true }, options)).toBe(1);
    expect(await timesOf(status(503), {}, { retryOn: () => false })).toBe(1);
  });

  it('retryOn sees the answer and the request', async () => {
    const seen: unknown[] = [];
    const retryOn: RetryCallOptions['retryOn'] = (answer, { method }) => {
      seen.push([answer instanceof LongwireError ? answer.code : answer.result, method]);
      return false;
    };
    await timesOf(isError, { idempotent: true }, { retryOn });
    await timesOf(status(429), {}, { retryOn });
    expect(seen).toEqual([
      [{ content: [], isError: true }, 'tools/call'],
      ['http-status', 'tools/call'],
    ]);
  });

  it.each([
    [{ readOnlyHint: true }, 3],
    [{ idempotentHint: true }, 3],
    [{ destructiveHint: false }, 1],
  ])('a tool listed with %j after a server’s error: %i times', async (annotations, times) => {
    const rig = around(retry(), ({ method }) => {
      if (method === 'tools/list') return listed('write', annotations);
      throw serverError(-32603);
    });
    await rig.send('tools/list').response;
    const settled = failureOf(rig.call('write'));
    await vi.runAllTimersAsync();
    await settled;
    expect(rig.asked).toHaveLength(1 + times);
  });

  it('what a server says of its tools leads to nothing with trustHints: false', async () => {
    const line = around(retry(), ({ method }) => {
      if (method === 'tools/list') return listed('write', { idempotentHint: true });
      throw serverError(-32603);
    });
    await line.send('tools/list').response;
    await failureOf(line.call('write', {}, { trustHints: false }));
    expect(line.asked).toHaveLength(2);
  });

  it('methods that only look may run twice', async () => {
    const rig = around(retry(), failing(serverError(-32603)));
    const { response } = rig.send('resources/read');
    await vi.runAllTimersAsync();
    await response;
    expect(rig.asked).toHaveLength(2);
  });

  it('the connection’s own requests are left alone', async () => {
    const rig = around(retry(), failing(status(503)));
    await failureOf(rig.send('initialize', { internal: true }).response);
    expect(rig.asked).toHaveLength(1);
  });
});

describe('when', () => {
  /** The delays before each further attempt. */
  async function delaysOf(options: RetryCallOptions, ...errors: unknown[]): Promise<number[]> {
    const times: number[] = [];
    const answer = failing(...errors);
    const rig = around(retry({ random: () => 1, ...options }), (request) => {
      times.push(performance.now());
      return answer(request);
    });
    const settled = rig.call('a').catch(() => {});
    await vi.runAllTimersAsync();
    await settled;
    return times.slice(1).map((time, index) => time - (times[index] ?? 0));
  }

  it('after delays that double up to a limit', async () => {
    const errors = Array.from({ length: 5 }, () => status(503));
    expect(await delaysOf({ maxAttempts: 6, maxDelayMs: 1000 }, ...errors)).toEqual([
      250, 500, 1000, 1000, 1000,
    ]);
  });

  it('not before the server wants to be asked again, and not at all beyond the limit', async () => {
    const asking = (ms: number) => status(429, 'refused', ms);
    expect(await delaysOf({}, asking(4000), asking(10))).toEqual([4000, 500]);
    expect(await delaysOf({}, asking(10_001))).toEqual([]);
  });

  it('a call that ends while it waits is not made again', async () => {
    const rig = around(retry(), failing(status(503)));
    const { response, stop } = rig.send('tools/call', { params: { name: 'a' } });
    const settled = failureOf(response);
    await vi.advanceTimersByTimeAsync(1);
    expect(vi.getTimerCount()).toBe(1);
    const error = failure('deadline', 'refused');
    stop(error);
    expect(await settled).toBe(error);
    expect(rig.asked).toHaveLength(1);
  });

  it('the response says how many attempts there were', async () => {
    const rig = around(retry(), failing(status(503), status(503)));
    const answered = rig.call('a');
    await vi.runAllTimersAsync();
    expect((await answered).metadata).toEqual({ attempts: 3 });
    expect((await rig.call('a')).metadata).toEqual({});
  });
});

it('a wrong option is refused by its name', () => {
  expect(() => retry({ maxAttempts: 0 })).toThrow('retry.maxAttempts');
  expect(() => retry({ maxAttempts: 1.5 })).toThrow('retry.maxAttempts');
  expect(() => retry({ firstDelayMs: -1 })).toThrow('retry.firstDelayMs');
  expect(() => retry({ maxDelayMs: Number.NaN })).toThrow('retry.maxDelayMs');
  expect(() => retry({ retryOn: true } as object)).toThrow('retry.retryOn');
  expect(() => retry({ attempts: 3 } as object)).toThrow('retry.attempts: no such option');
});
