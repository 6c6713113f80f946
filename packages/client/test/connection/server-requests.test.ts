import type { JSONRPCRequest } from '@modelcontextprotocol/client';
import { assert, describe, expect, it } from 'vitest';
import { ServerRequests } from '../../src/connection/server-requests.ts';

const roots = (id: number) => ({ jsonrpc: '2.0' as const, id, method: 'roots/list' });
const answer = (id: string | number) => ({ jsonrpc: '2.0' as const, id, result: {} });

const enter = (requests: ServerRequests, request: JSONRPCRequest): JSONRPCRequest => {
  const ours = requests.enter(request);
  assert(ours);
  return ours;
};

describe('ServerRequests', () => {
  it('answers the session that made the request, under its own id', () => {
    const requests = new ServerRequests();
    const ours = enter(requests, roots(5));
    expect(ours.id).not.toBe(5);
    expect(requests.answer(answer(ours.id))).toEqual(answer(5));
    expect(requests.answer(answer(ours.id))).toBeUndefined();
  });

  it('cancels open requests when a session ends, and drops answers to them', () => {
    const requests = new ServerRequests();
    const first = enter(requests, roots(1));
    expect(requests.abandon()).toEqual([
      expect.objectContaining({
        method: 'notifications/cancelled',
        params: expect.objectContaining({ requestId: first.id }) as unknown,
      }),
    ]);
    const second = enter(requests, roots(1));
    expect(second.id).not.toBe(first.id);
    expect(requests.answer(answer(first.id))).toBeUndefined();
    expect(requests.answer(answer(second.id))).toEqual(answer(1));
  });

  it('is full while a thousand wait for an answer', () => {
    const requests = new ServerRequests();
    const first = enter(requests, roots(0));
    for (let id = 1; id < 1000; id++) requests.enter(roots(id));
    expect(requests.isFull).toBe(true);
    requests.answer(answer(first.id));
    expect(requests.isFull).toBe(false);
  });

  it('translates a cancellation by the server, once', () => {
    const requests = new ServerRequests();
    const ours = enter(requests, roots(1));
    const cancelled = {
      jsonrpc: '2.0' as const,
      method: 'notifications/cancelled',
      params: { requestId: 1, reason: 'never mind' },
    };
    expect(requests.cancelled(cancelled)?.params).toEqual({
      requestId: ours.id,
      reason: 'never mind',
    });
    expect(requests.cancelled(cancelled)).toBeUndefined();
    expect(requests.answer(answer(ours.id))).toBeUndefined();
  });

  describe('of a task', () => {
    const meta = (taskId: string) => ({ 'io.modelcontextprotocol/related-task': { taskId } });
    const asking = (id: number, taskId: string) => ({
      ...roots(id),
      params: { _meta: meta(taskId) },
    });

    it('are answered with the task that they belong to', () => {
      const requests = new ServerRequests();
      const ours = enter(requests, asking(1, 't'));
      const answered = { ...answer(ours.id), result: { roots: [], _meta: { mine: 1 } } };
      expect(requests.answer(answered)).toEqual({
        ...answer(1),
        result: { roots: [], _meta: { mine: 1, ...meta('t') } },
      });
      const refused = enter(requests, asking(2, 't'));
      const error = { jsonrpc: '2.0' as const, id: refused.id, error: { code: -1, message: 'no' } };
      expect(requests.answer(error)).toEqual({ ...error, id: 2 });
    });

    it('are given to the program once, while they are open', () => {
      const requests = new ServerRequests();
      const ours = enter(requests, asking(1, 't'));
      expect(requests.enter(asking(1, 't'))).toBeUndefined();
      // Another task, or no task, is another request, whatever its id.
      const others = [enter(requests, asking(1, 'u')), enter(requests, roots(1))];
      expect(new Set([ours, ...others].map(({ id }) => id)).size).toBe(3);
      for (const { id } of [ours, ...others]) requests.answer(answer(id));
      enter(requests, asking(1, 't'));
    });
  });
});
