import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startHttpFixture } from '../../../test/support/http-fixture.ts';
import { createClient, type TargetOption } from '../src/index.ts';

const COUNT = 40_000;
const noise = `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"noise"}}`;
const initialized = {
  protocolVersion: '2024-11-05',
  capabilities: { logging: {} },
  serverInfo: { name: 's', version: '1' },
};

/** Connects, and returns the most notifications that came in one turn of the event loop. */
async function largestBurst(target: TargetOption): Promise<number> {
  const client = createClient(target, { transport: typeof target === 'string' ? 'sse' : 'stdio' });
  try {
    let heard = 0;
    let heardBefore = 0;
    let largest = 0;
    const all = new Promise<void>((resolve) => {
      const turn = (): void => {
        largest = Math.max(largest, heard - heardBefore);
        heardBefore = heard;
        if (heard < COUNT) setImmediate(turn);
        else resolve();
      };
      turn();
    });
    client.on('notification', () => heard++);
    await client.connect();
    await all;
    return largest;
  } finally {
    await client.close();
  }
}

/** What fits into what is read in one turn, and into the one chunk that goes beyond it. */
const MAX_BURST = (3 * 128 * 1024) / noise.length;

it('lets other things happen while an event stream brings many messages at once', async () => {
  let write = (_text: string): void => {};
  const server = await startHttpFixture((request, response) => {
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: endpoint\ndata: /messages\n\n');
      write = (text) => response.write(text);
      return;
    }
    const { id, method } = request.json as { id?: number; method: string };
    response.writeHead(202).end();
    if (id === undefined) void delay(10).then(() => write(`data: ${noise}\n\n`.repeat(COUNT)));
    else if (method === 'initialize') {
      write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result: initialized })}\n\n`);
    }
  });
  try {
    expect(await largestBurst(`${server.origin}/sse`)).toBeLessThan(MAX_BURST);
  } finally {
    await server.close();
  }
});

it('lets other things happen when many messages came before the handshake was done', async () => {
  let write = (_text: string): void => {};
  const server = await startHttpFixture((request, response) => {
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: endpoint\ndata: /messages\n\n');
      write = (text) => response.write(text);
      return;
    }
    const { id, method } = request.json as { id?: number; method: string };
    response.writeHead(202).end();
    if (method !== 'initialize') return;
    const answer = JSON.stringify({ jsonrpc: '2.0', id, result: initialized });
    write(`data: ${noise}\n\n`.repeat(COUNT) + `data: ${answer}\n\n`);
  });
  try {
    expect(await largestBurst(`${server.origin}/sse`)).toBeLessThan(MAX_BURST);
  } finally {
    await server.close();
  }
});

it('lets other things happen while a program writes many messages at once', async () => {
  const program = `
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const { id, method } = JSON.parse(line);
      const say = (message) => process.stdout.write(message + '\\n');
      if (method === 'initialize') say(JSON.stringify({ jsonrpc: '2.0', id, result: ${JSON.stringify(initialized)} }));
      else if (id === undefined) say(${JSON.stringify(noise)}.concat('\\n').repeat(${COUNT}).trimEnd());
    });`;
  const target = { command: process.execPath, args: ['-e', program] };
  expect(await largestBurst(target)).toBeLessThan(MAX_BURST);
});
