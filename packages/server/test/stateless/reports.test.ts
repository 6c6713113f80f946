/** What was reported of other servers without sessions: each report is tried here. */
import { McpServer } from '@modelcontextprotocol/server';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { serve, type McpMount, type ServeOptions, type Serving } from '../../src/index.ts';
import { open } from '../fixture.ts';
import { RawStream } from '../raw-stream.ts';
import { ask, headersOf, listen, onTheWire, toolCall, type StatelessMessage } from './requests.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** A server, and what its tools were told. */
interface Reported extends Serving {
  readonly mount: McpMount;
  /** The servers that were made and not collected. */
  alive(): Promise<number>;
  /** Fulfilled with the signal of the next call of `wait`. */
  waiting(): Promise<AbortSignal>;
}

async function reported(options: Partial<ServeOptions> = {}): Promise<Reported> {
  const made: WeakRef<McpServer>[] = [];
  const begun: ((signal: AbortSignal) => void)[] = [];
  let mount: McpMount | undefined;
  const served = await serve({
    create: () => {
      const server = new McpServer({ name: 'reported', version: '1.0.0' });
      made.push(new WeakRef(server));
      server.registerTool('quick', {}, () => ({ content: [{ type: 'text', text: 'quick' }] }));
      server.registerTool('wait', {}, async ({ mcpReq }) => {
        const params = { progressToken: 1, progress: 1 };
        if (mcpReq._meta?.progressToken === 2) {
          await mcpReq.notify({ method: 'notifications/progress', params });
        }
        begun.shift()?.(mcpReq.signal);
        if (!mcpReq.signal.aborted) await once(mcpReq.signal, 'abort');
        throw new Error('aborted');
      });
      server.registerTool('ask', {}, async () => {
        await server.server.listRoots();
        return { content: [] };
      });
      return server;
    },
    onMount: (own) => (mount = own),
    ...options,
  });
  open.push(() => served.close());
  return {
    ...served,
    mount: mount!,
    alive: async () => {
      await nextTurn();
      collectGarbage();
      return made.filter((server) => server.deref() !== undefined).length;
    },
    waiting: () => new Promise((resolve) => begun.push(resolve)),
  };
}

function dial(url: string, message: StatelessMessage): Socket {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
  open.push(async () => socket.destroy());
  socket.on('error', () => {});
  socket.write(onTheWire(message));
  return socket;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

// https://github.com/modelcontextprotocol/typescript-sdk/issues/2090
// https://github.com/cyanheads/mcp-ts-core/issues/50
// https://github.com/modelcontextprotocol/python-sdk/pull/2145
it('keeps no server, however its request ended', async () => {
  const { url, mount, alive, waiting } = await reported();
  for (let round = 0; round < 20; round++) {
    await ask(url, toolCall('quick'));
    await ask(url, toolCall('none'));
    await ask(url, toolCall('quick'), { 'mcp-name': 'other' });
    const left = waiting();
    const socket = dial(url, toolCall('wait', {}, 1 + (round % 2)));
    const signal = await left;
    socket.destroy();
    await aborted(signal);
    const message = listen();
    const raw = await RawStream.post(url, message, headersOf(message));
    await raw.next();
    await raw[Symbol.asyncDispose]();
  }
  await expect.poll(() => mount.stats()).toMatchObject({ callsInFlight: 0, streams: 0 });
  // The last of each kind may still be on the stack of somebody.
  await expect.poll(alive).toBeLessThan(10);
});

// https://github.com/modelcontextprotocol/rust-sdk/issues/857
// https://github.com/modelcontextprotocol/java-sdk/issues/1021: the client closes its half alone.
it.each([
  ['leaves', 'before the response', toolCall('wait'), (socket: Socket) => socket.destroy()],
  ['leaves', 'a stream', toolCall('wait', {}, 2), (socket: Socket) => socket.destroy()],
  ['closes its half', 'before the response', toolCall('wait'), (socket: Socket) => socket.end()],
  ['closes its half', 'a stream', toolCall('wait', {}, 2), (socket: Socket) => socket.end()],
])('a client that %s (%s) aborts its tool, and no connection stays', async (...example) => {
  const [, , message, leave] = example;
  const { url, mount, waiting } = await reported();
  const begun = waiting();
  const socket = dial(url, message);
  socket.resume();
  const signal = await begun;
  const closed = once(socket, 'close');
  leave(socket);
  await Promise.all([aborted(signal), closed]);
  await expect.poll(() => mount.stats()).toMatchObject({ callsInFlight: 0, streams: 0 });
});

// https://github.com/modelcontextprotocol/python-sdk/issues/1097
it('a tool that asks its client something fails at once', async () => {
  const { url } = await reported();
  const { result } = JSON.parse((await ask(url, toolCall('ask'))).text) as {
    result: { isError: boolean };
  };
  expect(result.isError).toBe(true);
});

// https://github.com/Softeria/ms-365-mcp-server/pull/305: "Already connected to a transport"
it('clients that use one id at a time get their own answers', async () => {
  const { url, mount, waiting } = await reported({ reuseServers: true });
  const begun = waiting();
  const slow = dial(url, toolCall('wait'));
  await begun;
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(url, toolCall('quick'))));
  expect(answers.map(({ text }) => (JSON.parse(text) as { id: number }).id)).toEqual(
    answers.map(() => 1),
  );
  expect(mount.stats().callsInFlight).toBe(1);
  slow.destroy();
});
