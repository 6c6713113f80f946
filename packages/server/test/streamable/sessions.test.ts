import { McpServer } from '@modelcontextprotocol/server';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import { serve, type CallGate, type McpMount, type Refusal } from '../../src/index.ts';
import { answerIn, call, deferred, open, opened, post, serving, stream } from '../fixture.ts';
import { RawStream } from '../raw-stream.ts';

describe('a tool that closes its stream', () => {
  it('answers on the one with which its client comes back', async () => {
    const released = deferred();
    const { url, close } = await serve({
      create: () => {
        const server = new McpServer({ name: 'polled', version: '1.0.0' });
        server.registerTool('poll', {}, async ({ http }) => {
          http?.closeSSE?.();
          await released.promise;
          return { content: [{ type: 'text', text: 'at last' }] };
        });
        return server;
      },
    });
    open.push(close);
    const headers = await opened(url);
    const first = await RawStream.post(url, call(1, 'poll'), headers);
    open.push(() => first[Symbol.asyncDispose]());
    const { id = '', data } = (await first.next()) ?? {};
    expect(data).toBe('');
    expect(id).not.toBe('');
    expect(await first.next()).toBeUndefined();
    const again = await stream(url, { ...headers, 'last-event-id': id });
    released.resolve();
    const answer = JSON.parse(await again.nextOf('message')) as unknown;
    expect(answer).toMatchObject({ id: 1, result: { content: [{ text: 'at last' }] } });
  });
});

describe('an initialize that is refused', () => {
  const refusal: Refusal = { status: 403, code: -32_000, message: 'not you' };
  const only = ({ method }: { method: string }): Refusal | undefined =>
    method === 'initialize' ? refusal : undefined;

  const later = async (asked: { method: string }): Promise<Refusal | undefined> => {
    await nextTurn();
    return only(asked);
  };

  it.each<[string, CallGate]>([
    ['at once', { admit: only }],
    ['later', { admit: later }],
    ['once it is accepted', { hold: only }],
  ])('%s leaves no session behind', async (_when, gate) => {
    let mount: McpMount | undefined;
    const { mcpUrl, samples } = await serving({
      gates: [gate],
      onMount: (made) => void (mount = made),
    });
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'c', version: '1' },
    };
    const body = { jsonrpc: '2.0', id: 0, method: 'initialize', params };
    const accept = 'application/json, text/event-stream';
    const { text } = await post(mcpUrl, body, { accept });
    expect(answerIn(text.replace('"error"', '"result"'))).toBeDefined();
    expect(text).toContain('not you');
    await until(() => mount?.stats().sessions === 0);
    for (const { closed } of samples) await closed;
  });
});
