import { describe, expect, it } from 'vitest';
import type { HostileSseServer } from '../../../../test/support/hostile-sse.ts';
import { until } from '../../../../test/support/until.ts';
import { failureOf } from '../support/failure-of.ts';
import {
  atTheEndOfEachTest,
  dialsOf,
  listing,
  quick,
  roundTrips,
  runsOf,
  said,
} from '../support/recovery.ts';

const { setUp } = atTheEndOfEachTest();

describe('a call that the server defers', () => {
  it.each([
    ['503 with Retry-After', 503, { 'retry-after': '0' }],
    ['503 without', 503, {}],
    ['429', 429, { 'retry-after': '0' }],
    ['429 without Retry-After', 429, {}],
    ['408', 408, {}],
    ['425', 425, {}],
  ])('with %s waits, and succeeds on the same session', async (_how, status, headers) => {
    const { server, client } = await setUp({
      postFaults: [{ tool: 'echo', status, headers: { ...headers }, times: 2 }],
    });
    const calls = ['a', 'b'].map((message) => client.callTool('echo', { message }));
    expect(await Promise.all(calls)).toEqual([said('a'), said('b')]);
    expect(runsOf(server, 'echo')).toHaveLength(2);
    expect(server.requests.filter(({ body }) => body.includes('"echo"'))).toHaveLength(4);
    expect(dialsOf(server)).toBe(1);
    expect(client.state.name).toBe('ready');
  });

  it('beyond its own time limit fails at once with the error of the server', async () => {
    const { server, client } = await setUp({
      postFaults: [{ tool: 'echo', status: 503, headers: { 'retry-after': '61' }, times: 1 }],
    });
    const error = await failureOf(
      client.callTool('echo', { message: 'x' }, { timeoutMs: 60_000, deadlineMs: 600_000 }),
    );
    expect(error).toMatchObject({
      name: 'HttpStatusError',
      code: 'http-status',
      status: 503,
      retryAfterMs: 61_000,
      certainty: 'refused',
    });
    expect(await client.callTool('echo', { message: 'y' })).toEqual(said('y'));
    expect(runsOf(server, 'echo')).toHaveLength(1);
  });

  it('beyond its deadline fails at once as well', async () => {
    const { client } = await setUp({
      postFaults: [{ tool: 'echo', status: 429, headers: { 'retry-after': '61' } }],
    });
    const limits = { timeoutMs: 600_000, deadlineMs: 60_000 };
    expect(await failureOf(client.callTool('echo', { message: 'x' }, limits))).toMatchObject({
      status: 429,
      certainty: 'refused',
    });
  });

  it('again and again fails by its own time limit, as one that did not run', async () => {
    const { server, client } = await setUp({
      postFaults: [{ tool: 'echo', status: 503, headers: { 'retry-after': '0' } }],
    });
    const error = await failureOf(client.callTool('echo', { message: 'x' }, { timeoutMs: 300 }));
    // It may time out while it is sent once more.
    const endings = ['http-status, refused', 'timeout, refused', 'timeout, outcome-unknown'];
    expect(endings).toContain(`${error.code}, ${error.certainty}`);
    expect(runsOf(server, 'echo')).toEqual([]);
  });

  it('is not sent once it was aborted', async () => {
    const { server, client } = await setUp({
      postFaults: [{ tool: 'echo', status: 503, headers: { 'retry-after': '30' }, times: 1 }],
    });
    const controller = new AbortController();
    const { signal } = controller;
    const call = failureOf(client.callTool('echo', { message: 'x' }, { signal }));
    await until(() => expect(server.mischief.postFaults?.[0]?.times).toBe(0));
    await roundTrips(client);
    controller.abort();
    expect(await call).toMatchObject({ code: 'aborted', certainty: 'refused' });
    await roundTrips(client);
    expect(runsOf(server, 'echo')).toEqual([]);
    expect(server.messagesOf('notifications/cancelled')).toEqual([]);
  });

  it('is sent on the next session when its own is lost meanwhile', async () => {
    const { server, client } = await setUp({
      postFaults: [{ tool: 'echo', status: 503, headers: { 'retry-after': '1' }, times: 1 }],
    });
    const call = client.callTool('echo', { message: 'x' });
    await until(() => expect(server.mischief.postFaults?.[0]?.times).toBe(0));
    await roundTrips(client);
    server.cut();
    expect(await call).toEqual(said('x'));
    expect(runsOf(server, 'echo')).toHaveLength(1);
    expect(dialsOf(server)).toBe(2);
  });
});

describe('a call that is answered with any other HTTP error', () => {
  it.each([
    [500, 1],
    [502, 6],
    [504, 6],
  ])('%i fails, outcome unknown: a safe call after %i attempts', async (status, times) => {
    const { server, client } = await setUp({
      answer: listing({ echo: { readOnlyHint: true }, add: {} }),
      postFaults: [{ method: 'tools/call', status, body: 'the disk is full' }],
    });
    await client.listTools();
    for (const name of ['echo', 'add']) {
      expect(await failureOf(client.callTool(name))).toMatchObject({
        name: 'HttpStatusError',
        code: 'http-status',
        status,
        excerpt: 'the disk is full',
        certainty: 'outcome-unknown',
      });
    }
    await client.listTools();
    const calls = server.requests.filter(({ body }) => body.includes('tools/call'));
    expect(calls).toHaveLength(times + 1);
    expect(dialsOf(server)).toBe(1);
  });

  it.each([
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [413, 'http-status'],
    [422, 'http-status'],
  ])('%i fails at once, refused', async (status, code) => {
    const { server, client } = await setUp({
      postFaults: [{ tool: 'echo', status }],
    });
    const call = client.callTool('echo', { message: 'x' }, { idempotent: true });
    expect(await failureOf(call)).toMatchObject({ code, status, certainty: 'refused' });
    await client.listTools();
    expect(server.requests.filter(({ body }) => body.includes('"echo"'))).toHaveLength(1);
    expect(dialsOf(server)).toBe(1);
  });
});

describe('a call whose POST breaks off while its session continues', () => {
  const sent = ({ requests }: HostileSseServer): number =>
    requests.filter(({ body }) => body.includes('"echo"')).length;

  it('is resent on it if it is safe', async () => {
    const { server, client } = await setUp({
      postFaults: [{ tool: 'echo', status: 0, breaksOff: true, times: 2 }],
    });
    const call = client.callTool('echo', { message: 'x' }, { idempotent: true });
    expect(await call).toEqual(said('x'));
    expect(sent(server)).toBe(3);
    expect(dialsOf(server)).toBe(1);
  });

  it('is resent maxAttempts times, also while others are answered', async () => {
    const { server, client } = await setUp(
      { postFaults: [{ tool: 'echo', status: 0, breaksOff: true }] },
      { retry: { ...quick.retry, maxAttempts: 3 } },
    );
    const call = failureOf(client.callTool('echo', { message: 'x' }, { idempotent: true }));
    await roundTrips(client);
    expect(await call).toMatchObject({ code: 'connection-lost', certainty: 'outcome-unknown' });
    expect(sent(server)).toBe(4);
    expect(dialsOf(server)).toBe(1);
  });

  it('fails at once if it is not safe, and is not resent', async () => {
    const { server, client } = await setUp({
      postFaults: [{ tool: 'echo', status: 0, breaksOff: true, times: 1 }],
    });
    expect(await failureOf(client.callTool('echo', { message: 'x' }))).toMatchObject({
      code: 'connection-lost',
      certainty: 'outcome-unknown',
    });
    expect(await client.callTool('add', { a: 1, b: 2 })).toEqual(said('3'));
    expect(sent(server)).toBe(1);
    expect(dialsOf(server)).toBe(1);
  });
});
