import { McpServer } from '@modelcontextprotocol/server';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { until } from '../../../../test/support/until.ts';
import { MemoryWorkQueue, serve, type CallOutcome, type ServeOptions } from '../../src/index.ts';
import { call, deferred, endpointOf, open, opened, post, stream } from '../fixture.ts';
import { ask, headersOf, onTheWire, toolCall } from '../stateless/requests.ts';

/** A server with a tool that runs until it is cancelled, and one that notes that it ran. */
async function noting(options: Partial<ServeOptions>): Promise<{
  url: string;
  sseUrl: string;
  blocked: Promise<void>;
  ran: string[];
  made: () => number;
}> {
  const blocked = deferred();
  const ran: string[] = [];
  let made = 0;
  const create = (): McpServer => {
    made++;
    const server = new McpServer({ name: 'noting', version: '1.0.0' });
    server.registerTool('block', {}, async ({ mcpReq: { signal } }) => {
      blocked.resolve();
      await once(signal, 'abort');
      return { content: [] };
    });
    server.registerTool('note', { inputSchema: z.object({ text: z.string() }) }, ({ text }) => {
      ran.push(text);
      return { content: [{ type: 'text', text }] };
    });
    return server;
  };
  const { url, sseUrl, close } = await serve({ create, ...options });
  open.push(close);
  return { url, sseUrl, blocked: blocked.promise, ran, made: () => made };
}

/** A client of one transport. */
interface Client {
  /** Calls a tool; the text of its answer. */
  call(id: number, tool: string, args?: object): Promise<string>;
  cancel(id: number): Promise<unknown>;
}

const cancelled = (requestId: number): object => ({
  jsonrpc: '2.0',
  method: 'notifications/cancelled',
  params: { requestId },
});

const CLIENTS: Readonly<
  Record<string, (urls: { url: string; sseUrl: string }) => Promise<Client>>
> = {
  'HTTP+SSE': async ({ sseUrl }) => {
    const raw = await stream(sseUrl);
    const endpoint = await endpointOf(raw, sseUrl);
    const answers = new Map<unknown, string>();
    const read = async (): Promise<never> => {
      for (;;) {
        const data = await raw.nextOf('message');
        answers.set((JSON.parse(data) as { id?: unknown }).id, data);
      }
    };
    read().catch(() => {});
    return {
      call: async (id, tool, args) => {
        await post(endpoint, call(id, tool, args));
        await until(() => answers.has(id));
        return answers.get(id) ?? '';
      },
      cancel: (id) => post(endpoint, cancelled(id)),
    };
  },
  'Streamable HTTP': async ({ url }) => {
    const headers = await opened(url);
    return {
      call: async (id, tool, args) => (await post(url, call(id, tool, args), headers)).text,
      cancel: (id) => post(url, cancelled(id), headers),
    };
  },
  'the stateless protocol': async ({ url }) => {
    const leaving = new Map<number, AbortController>();
    return {
      call: async (id, tool, args) => {
        const leave = new AbortController();
        leaving.set(id, leave);
        const message = toolCall(tool, args, id);
        const body = JSON.stringify(message);
        const { signal } = leave;
        const init = { method: 'POST', headers: headersOf(message), body, signal };
        return (await fetch(url, init)).text();
      },
      cancel: async (id) => leaving.get(id)?.abort(),
    };
  },
};

describe('a call that a queue holds', () => {
  it.each(Object.keys(CLIENTS))(
    'and that is cancelled leaves its place and never runs, over %s',
    async (transport) => {
      const queue = new MemoryWorkQueue();
      const queues = { '*': { concurrency: 1, maxQueued: 1 } };
      const { blocked, ran, ...urls } = await noting({ queues, stores: { queue } });
      const waiting = (count: number): Promise<void> =>
        until(() => queue.depth('*').waiting === count);
      const client = await CLIENTS[transport]!(urls);
      void client.call(1, 'block').catch(() => {});
      await blocked;
      void client.call(2, 'note', { text: 'cancelled' }).catch(() => {});
      await waiting(1);
      await client.cancel(2);
      await waiting(0);
      const next = client.call(3, 'note', { text: 'the next one' });
      await waiting(1);
      await client.cancel(1);
      expect(await next).toContain('the next one');
      expect(ran).toEqual(['the next one']);
      expect(queue.depth('*')).toEqual({ waiting: 0, running: 0 });
    },
  );
});

describe('a call that a gate holds', () => {
  it.each(Object.keys(CLIENTS))(
    'and lets pass only after it was cancelled never runs, over %s',
    async (transport) => {
      const [asked, passed] = [deferred(), deferred()];
      const left: string[] = [];
      const { ran, ...urls } = await noting({
        gates: [
          {
            hold: async ({ id, method }) => {
              if (method !== 'tools/call' || id !== 1) return undefined;
              asked.resolve();
              await passed.promise;
              return undefined;
            },
            leave: ({ id, method }, { kind }) => {
              if (method === 'tools/call') left.push(`${String(id)} ${kind}`);
            },
          },
        ],
      });
      const client = await CLIENTS[transport]!(urls);
      void client.call(1, 'note', { text: 'cancelled' }).catch(() => {});
      await asked.promise;
      await client.cancel(1);
      await until(() => left.length > 0);
      passed.resolve();
      expect(await client.call(2, 'note', { text: 'the next one' })).toContain('the next one');
      expect({ ran, left }).toEqual({ ran: ['the next one'], left: ['1 cancelled', '2 result'] });
    },
  );
});

describe('a stateless request', () => {
  it('whose client left while a gate was asked runs nothing', async () => {
    const outcomes: CallOutcome[] = [];
    const asked = deferred();
    const { url, ran, made } = await noting({
      gates: [
        {
          admit: async ({ target, request }) => {
            if (target !== 'note') return undefined;
            asked.resolve();
            await once(request!.socket as Socket, 'close');
            return undefined;
          },
          leave: (_call, outcome) => void outcomes.push(outcome),
        },
      ],
    });
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write(onTheWire(toolCall('note', { text: 'gone' })));
    await asked.promise;
    socket.destroy();
    await until(() => outcomes.length > 0);
    expect(outcomes).toEqual([{ kind: 'cancelled' }]);
    // What was begun for it would be there before what comes later.
    expect((await ask(url, toolCall('nothing'))).text).toContain('not found');
    expect({ ran, made: made() }).toEqual({ ran: [], made: 1 });
  });
});
