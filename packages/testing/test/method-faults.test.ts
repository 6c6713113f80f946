import { once } from 'node:events';
import { createServer, request as httpRequest, Agent } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../test/support/open-handles.ts';
import { until } from '../../../test/support/until.ts';
import { createFaultyProxy, type Fault, type FaultyProxy } from '../src/index.ts';
import { dial, startTcpTarget } from './support/tcp-ends.ts';

expectNothingLeftOpen();

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Line {
  proxy: FaultyProxy;
  /** Methods of the whole requests that reached the target. */
  reached: string[];
  struck: Fault[];
  /** The result, or what became of the connection. */
  ask(method: string): Promise<unknown>;
}

/** A JSON-RPC server over HTTP behind a proxy, and a client that keeps its connection. */
async function setUp(): Promise<Line> {
  const reached: string[] = [];
  const struck: Fault[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => (text += String(chunk)));
    request.on('error', () => {});
    request.on('end', () => {
      const { id, method } = JSON.parse(text) as { id: number; method: string };
      reached.push(method);
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { answerTo: method } }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  const proxy = await createFaultyProxy({
    target: { host: '127.0.0.1', port },
    onFault: (fault) => struck.push(fault),
  });
  closers.push(() => proxy.close());
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  closers.push(() => Promise.resolve(agent.destroy()));
  const ask = (method: string): Promise<unknown> =>
    new Promise((resolve) => {
      const request = httpRequest({ port: proxy.port, method: 'POST', agent }, (response) => {
        let text = '';
        response.on('data', (chunk) => (text += String(chunk)));
        response.on('error', () => resolve('cut in its answer'));
        response.on('end', () => resolve(JSON.parse(text).result));
      });
      request.on('error', () => resolve('cut'));
      request.end(JSON.stringify({ jsonrpc: '2.0', id: 1, method }));
    });
  return { proxy, reached, struck, ask };
}

it('a request of a method is lost before the target has it, and others pass', async () => {
  const { proxy, reached, ask } = await setUp();
  const fault: Fault = {
    kind: 'reset',
    direction: 'to-target',
    afterBytes: 0,
    method: 'tasks/get',
  };
  expect(proxy.injectFault(fault)).toBe(true);
  expect(await ask('tools/call')).toEqual({ answerTo: 'tools/call' });
  expect(await ask('tasks/get')).toBe('cut');
  expect(await ask('tasks/get')).toEqual({ answerTo: 'tasks/get' });
  expect(reached).toEqual(['tools/call', 'tasks/get']);
  expect(proxy.faults.reset).toBe(1);
});

it('an answer to a method is lost after the target has done it', async () => {
  const { proxy, reached, ask } = await setUp();
  proxy.injectFault({
    kind: 'finish',
    direction: 'to-client',
    afterBytes: 0,
    method: 'tasks/update',
  });
  expect(await ask('tasks/get')).toEqual({ answerTo: 'tasks/get' });
  expect(await ask('tasks/update')).toBe('cut');
  expect(reached).toEqual(['tasks/get', 'tasks/update']);
});

it('an answer is cut in its middle', async () => {
  const { proxy, reached, ask } = await setUp();
  proxy.injectFault({
    kind: 'reset',
    direction: 'to-client',
    afterBytes: 20,
    method: 'tools/call',
  });
  expect(await ask('tools/call')).toMatch(/^cut/);
  expect(reached).toEqual(['tools/call']);
});

it('several faults strike one request after the other, each once', async () => {
  const { proxy, reached, struck, ask } = await setUp();
  const answer: Fault = {
    kind: 'reset',
    direction: 'to-client',
    afterBytes: 0,
    method: 'tasks/get',
  };
  proxy.injectFault(answer);
  proxy.injectFault({ ...answer, direction: 'to-target' });
  expect(await ask('tasks/get')).toBe('cut');
  expect(reached).toEqual(['tasks/get']);
  expect(await ask('tasks/get')).toBe('cut');
  expect(reached).toEqual(['tasks/get']);
  expect(await ask('tasks/get')).toEqual({ answerTo: 'tasks/get' });
  expect(struck.map(({ direction }) => direction)).toEqual(['to-client', 'to-target']);
});

it('a delay holds the rest of the request', async () => {
  const { proxy, reached, ask } = await setUp();
  proxy.injectFault({
    kind: 'delay',
    direction: 'to-target',
    afterBytes: 0,
    durationMs: 20,
    method: 'tasks/get',
  });
  expect(await ask('tasks/get')).toEqual({ answerTo: 'tasks/get' });
  expect(reached).toEqual(['tasks/get']);
  expect(proxy.faults.delay).toBe(1);
});

it('a method is found however its bytes are split', async () => {
  const target = await startTcpTarget();
  closers.push(async () => target[Symbol.asyncDispose]());
  const proxy = await createFaultyProxy({ target: { host: '127.0.0.1', port: target.port } });
  closers.push(() => proxy.close());
  proxy.injectFault({ kind: 'finish', direction: 'to-target', afterBytes: 0, method: 'tasks/get' });
  const client = await dial(proxy.port);
  const text = '{"text":"tasks/get", "method" : "tasks/get","id":1}';
  await until(() => target.ends.length === 1);
  for (const [index, byte] of text.split('').entries()) {
    if (client.events.length > 0) break;
    client.socket.write(byte);
    await until(() => client.events.length > 0 || target.ends[0]?.receivedBytes === index + 1);
  }
  await until(() => client.events.includes('end'));
  expect(target.ends[0]?.text).toBe('{"text":"tasks/get", "method" : "tasks/get"');
  client.socket.destroy();
  target.ends[0]?.socket.destroy();
});
