import { Client } from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import type { StreamableServer } from '../../../../test/support/streamable-fixture.ts';
import { discovered } from '../../../../test/support/streamable-rules.ts';
import type { RpcMessage } from '../../../../test/support/strict-mcp-session.ts';
import { until } from '../../../../test/support/until.ts';
import { createTransport, type LongwireError } from '../../src/index.ts';
import { quick, runsOf, said, statesOf } from '../support/recovery.ts';
import { atTheEndOfEachTest, heard } from '../support/streamable.ts';

const { setUp, serve, closeLater } = atTheEndOfEachTest();

const form = {
  mode: 'form',
  message: 'Who is it?',
  requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
};

/** `ask` asks for a name: within the protocol of the modern era, or not at all. */
function asking({ method, params }: RpcMessage): unknown {
  if (method !== 'tools/call' || params?.['name'] !== 'ask') return undefined;
  const given = (params['inputResponses'] as { name?: unknown } | undefined)?.name;
  if (given !== undefined) return { content: [{ type: 'text', text: JSON.stringify(given) }] };
  return {
    resultType: 'input_required',
    inputRequests: { name: { method: 'elicitation/create', params: form } },
  };
}

const handlers = {
  elicitation: () => ({ action: 'accept' as const, content: { name: 'me' } }),
};

/** The server goes away, and comes back as one of the other era, on the same port. */
function turn(server: StreamableServer): void {
  const { mischief } = server;
  server.cut();
  server.cut('replies');
  server.dropSessions();
  mischief.era = mischief.era === 'modern' ? 'legacy' : 'modern';
}

describe.each(['legacy', 'modern'] as const)(
  'a server of the %s era that becomes the other',
  (era) => {
    const other = era === 'modern' ? 'legacy' : 'modern';

    it('is called as before, through another Client', async () => {
      const { server, client } = await setUp({ era });
      const before = client.sdk;
      expect(before.getProtocolEra()).toBe(era);
      await client.callTool('add', { a: 1, b: 1 });
      const states = statesOf(client);
      turn(server);
      const calls = ['a', 'b', 'c'].map((message) => client.callTool('echo', { message }));
      expect(await Promise.all(calls)).toEqual(['a', 'b', 'c'].map(said));
      expect(runsOf(server, 'echo')).toHaveLength(3);
      expect(client.sdk).not.toBe(before);
      await until(() => expect(client.sdk.getProtocolEra()).toBe(other));
      expect(client.protocolVersion).toBe(other === 'modern' ? '2026-07-28' : '2025-11-25');
      expect(states.at(-1)?.name).toBe('ready');
      expect(client.stats().droppedAnswers).toBe(0);
    });

    it('and back again', async () => {
      const { server, client } = await setUp({ era });
      const errors: LongwireError[] = [];
      client.on('error', (error) => errors.push(error));
      for (const expected of [other, era, other]) {
        turn(server);
        expect(await client.callTool('echo', { message: expected })).toEqual(said(expected));
        await until(() => expect(client.sdk.getProtocolEra()).toBe(expected));
      }
      expect(errors).toEqual([]);
    });

    it('is answered by the same handlers', async () => {
      const { server, client } = await setUp({ era, answer: asking }, { ...quick, handlers });
      await client.callTool('add', { a: 1, b: 1 });
      turn(server);
      await client.callTool('add', { a: 1, b: 2 });
      if (other === 'modern') {
        expect(JSON.stringify(await client.callTool('ask'))).toContain('me');
        return;
      }
      await heard(server);
      server.push({ jsonrpc: '2.0', id: 'q', method: 'elicitation/create', params: form });
      const answer = () => server.messages.find(({ id }) => id === 'q');
      await until(() => expect(answer()).toBeDefined());
      expect(answer()).toMatchObject({ result: { action: 'accept', content: { name: 'me' } } });
    });

    it('may be closed at once, and nothing is wrong', async () => {
      const { server, client } = await setUp({ era });
      const errors: LongwireError[] = [];
      client.on('error', (error) => errors.push(error));
      turn(server);
      await client.callTool('echo', { message: 'x' });
      await client.close();
      expect(errors).toEqual([]);
    });

    it('is listened to as before', async () => {
      const { server, client } = await setUp({ era });
      let changes = 0;
      client.on('toolsChanged', () => changes++);
      await heard(server);
      turn(server);
      await client.callTool('echo', { message: 'x' });
      await heard(server);
      server.push({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
      await until(() => expect(changes).toBe(1));
    });

    it('still reads and completes through the SDK', async () => {
      const answer = ({ method }: RpcMessage): unknown =>
        method === 'resources/read' ? { contents: [], ttlMs: 0, cacheScope: 'private' } : undefined;
      const { server, client } = await setUp({ era, answer });
      await client.readResource('a:1');
      turn(server);
      expect(await client.readResource('a:2')).toMatchObject({ contents: [] });
      await until(() => expect(client.sdk.getProtocolEra()).toBe(other));
      expect(await client.readResource('a:3')).toMatchObject({ contents: [] });
    });

    it('has the subscriptions and the log level of before', async () => {
      const capabilities = { resources: { subscribe: true }, logging: {}, tools: {} };
      const { server, client } = await setUp({
        era,
        answer: ({ method }) => {
          if (method === 'server/discover') return discovered(capabilities);
          return /^(resources\/subscribe|logging\/setLevel)$/.test(method ?? '') ? {} : undefined;
        },
      });
      await client.subscribeResource('a:1');
      await client.setLogLevel('error');
      const before = server.messages.length;
      turn(server);
      await client.callTool('echo', { message: 'x' });
      const after = () => server.messages.slice(before);
      const asked = (method: string) =>
        after().find((message) => message.method === method)?.params;
      if (other === 'legacy') {
        await until(() => expect(asked('resources/subscribe')).toEqual({ uri: 'a:1' }));
        await until(() => expect(asked('logging/setLevel')).toEqual({ level: 'error' }));
        expect(JSON.stringify(after())).not.toContain('io.modelcontextprotocol/logLevel');
      } else {
        const notifications = { resourceSubscriptions: ['a:1'] };
        await until(() => expect(asked('subscriptions/listen')).toMatchObject({ notifications }));
        expect(asked('tools/call')).toMatchObject({
          _meta: { 'io.modelcontextprotocol/logLevel': 'error' },
        });
      }
    });

    it('is asked to take a call that it did not answer before, if that is safe', async () => {
      const { server, client } = await setUp({ era, hangOn: 'tools/call' });
      const safe = client.callTool('echo', { message: 'x' }, { idempotent: true });
      const unsafe = client.callTool('write').catch((error: unknown) => error as LongwireError);
      await until(() => expect(server.openReplies()).toBe(2));
      delete server.mischief.hangOn;
      turn(server);
      expect(await safe).toEqual(said('x'));
      expect(await unsafe).toMatchObject({ certainty: 'outcome-unknown' });
      expect(runsOf(server, 'write')).toHaveLength(1);
    });

    it('ends the connection of a Client of its own, which cannot follow', async () => {
      const server = await serve({ era });
      const transport = createTransport(server.url, quick);
      const client = closeLater(
        new Client({ name: 'p', version: '1' }, { versionNegotiation: { mode: 'auto' } }),
      );
      const errors: unknown[] = [];
      let closed = 0;
      client.onerror = (error) => errors.push(error);
      client.onclose = () => closed++;
      await client.connect(transport);
      expect(client.getProtocolEra()).toBe(era);
      turn(server);
      const call = client.callTool({ name: 'echo', arguments: { message: 'x' } });
      await expect(call).rejects.toMatchObject({ code: 'closed', certainty: 'not-sent' });
      await until(() => expect(closed).toBe(1));
      expect(transport.state.name).toBe('closed');
      expect(errors).toContainEqual(
        expect.objectContaining({ code: 'closed', summary: expect.stringContaining('changed to') }),
      );
      expect(runsOf(server, 'echo')).toEqual([]);
      await expect(client.callTool({ name: 'echo', arguments: {} })).rejects.toThrow();
    });
  },
);
