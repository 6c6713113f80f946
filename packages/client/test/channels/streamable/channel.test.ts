import type { CreateMessageRequestParams } from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import { until } from '../../../../../test/support/until.ts';
import type { ServerRequestHandlers } from '../../../src/index.ts';
import { failureOf } from '../../support/failure-of.ts';
import { quick, runsOf, said } from '../../support/recovery.ts';
import { atTheEndOfEachTest, heard, wireIdOf } from '../../support/streamable.ts';

const { setUp } = atTheEndOfEachTest();

const question = (id: string) => ({
  jsonrpc: '2.0' as const,
  id,
  method: 'elicitation/create',
  params: {
    mode: 'form',
    message: 'Which one?',
    requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
  },
});

const handlers: ServerRequestHandlers = {
  elicitation: ({ message }) => ({ action: 'accept', content: { name: `${message} this` } }),
  sampling: ({ maxTokens }) => ({
    role: 'assistant',
    model: 'm',
    content: { type: 'text', text: `at most ${maxTokens}` },
  }),
};

describe.each(['replies', 'server-stream'] as const)(
  'what the server asks on its %s stream',
  (where) => {
    it('is answered by POST', async () => {
      const { server, client } = await setUp({ hangOn: 'tools/call' }, { ...quick, handlers });
      const call = client.callTool('write');
      await heard(server);
      await until(() => expect(server.openReplies()).toBe(1));
      server.push(question('q'), where);
      const params: CreateMessageRequestParams = { messages: [], maxTokens: 7 };
      server.push(
        { jsonrpc: '2.0', id: 's', method: 'sampling/createMessage', params: { ...params } },
        where,
      );
      const answerTo = (id: string) =>
        server.messages.find((message) => message.id === id && message.method === undefined);
      await until(() => expect(answerTo('q')).toBeDefined());
      await until(() => expect(answerTo('s')).toBeDefined());
      expect(answerTo('q')).toMatchObject({
        result: { action: 'accept', content: { name: 'Which one? this' } },
      });
      expect(answerTo('s')).toMatchObject({ result: { content: { text: 'at most 7' } } });
      const id = wireIdOf(server, 'write');
      server.push({ jsonrpc: '2.0', id, result: { content: [] } }, 'replies');
      expect(await call).toEqual({ content: [] });
    });
  },
);

describe('a cancelled call', () => {
  it('is cancelled by a notification, with the id on the wire', async () => {
    const { server, client } = await setUp({ hangOn: 'tools/call' });
    const aborting = new AbortController();
    const call = failureOf(client.callTool('write', {}, { signal: aborting.signal }));
    await until(() => expect(server.openReplies()).toBe(1));
    aborting.abort();
    expect(await call).toMatchObject({ code: 'aborted', certainty: 'outcome-unknown' });
    await until(() => expect(server.messagesOf('notifications/cancelled')).toHaveLength(1));
    const id = wireIdOf(server, 'write');
    expect(server.messagesOf('notifications/cancelled')).toMatchObject([
      { params: { requestId: id } },
    ]);
    await until(() => expect(server.openReplies()).toBe(0));
    delete server.mischief.hangOn;
    expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
    expect(server.openedSessions()).toBe(1);
  });

  it('is cancelled also while the server holds its POST', async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const { server, client } = await setUp({
      holdPost: ({ method }) => (method === 'tools/call' ? held : undefined),
    });
    const aborting = new AbortController();
    const call = failureOf(client.callTool('write', {}, { signal: aborting.signal }));
    await until(() => expect(runsOf(server, 'write')).toHaveLength(1));
    aborting.abort();
    expect(await call).toMatchObject({ code: 'aborted' });
    await until(() => expect(server.messagesOf('notifications/cancelled')).toHaveLength(1));
    release();
    delete server.mischief.holdPost;
    expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
  });

  it('is never sent if it has not left', async () => {
    const { server, client } = await setUp();
    const aborting = new AbortController();
    const call = failureOf(client.callTool('write', {}, { signal: aborting.signal }));
    aborting.abort();
    expect(await call).toMatchObject({ code: 'aborted' });
    expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
    const writes = runsOf(server, 'write').length;
    expect(server.messagesOf('notifications/cancelled')).toHaveLength(writes);
  });

  it('is cancelled by close, before the session ends', async () => {
    const { server, client } = await setUp({ hangOn: 'tools/call' });
    const call = failureOf(client.callTool('write'));
    await until(() => expect(server.openReplies()).toBe(1));
    await client.close();
    expect(await call).toMatchObject({ code: 'closed', certainty: 'outcome-unknown' });
    expect(server.endedSessions()).toBe(1);
  });
});

it('a request of the server on a lost session gets no answer', async () => {
  let answer = (): void => {};
  const answering = new Promise<void>((resolve) => (answer = resolve));
  const { server, client } = await setUp(
    {},
    {
      ...quick,
      handlers: {
        elicitation: async () => {
          await answering;
          return { action: 'decline' };
        },
      },
    },
  );
  await heard(server);
  server.push(question('q'));
  server.cut();
  server.dropSessions();
  await until(() => expect(server.openedSessions()).toBe(2));
  answer();
  expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
  expect(server.messages.filter(({ id }) => id === 'q')).toEqual([]);
});
