import { describe, expect, it } from 'vitest';
import { ServerRequests } from '../../src/connection/server-requests.ts';

const roots = (id: number) => ({ jsonrpc: '2.0' as const, id, method: 'roots/list' });
const answer = (id: string | number) => ({ jsonrpc: '2.0' as const, id, result: {} });

describe('ServerRequests', () => {
  it('answers the session that made the request, under its own id', () => {
    const requests = new ServerRequests();
    const ours = requests.enter(roots(5));
    expect(ours.id).not.toBe(5);
    expect(requests.answer(answer(ours.id))).toEqual(answer(5));
    expect(requests.answer(answer(ours.id))).toBeUndefined();
  });

  it('cancels open requests when a session ends, and drops answers to them', () => {
    const requests = new ServerRequests();
    const first = requests.enter(roots(1));
    expect(requests.abandon()).toEqual([
      expect.objectContaining({
        method: 'notifications/cancelled',
        params: expect.objectContaining({ requestId: first.id }) as unknown,
      }),
    ]);
    const second = requests.enter(roots(1));
    expect(second.id).not.toBe(first.id);
    expect(requests.answer(answer(first.id))).toBeUndefined();
    expect(requests.answer(answer(second.id))).toEqual(answer(1));
  });

  it('is full while a thousand wait for an answer', () => {
    const requests = new ServerRequests();
    const first = requests.enter(roots(0));
    for (let id = 1; id < 1000; id++) requests.enter(roots(id));
    expect(requests.isFull).toBe(true);
    requests.answer(answer(first.id));
    expect(requests.isFull).toBe(false);
  });

  it('translates a cancellation by the server, once', () => {
    const requests = new ServerRequests();
    const ours = requests.enter(roots(1));
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
});
