import { serve, type Serving } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RawStream } from '../../packages/server/test/raw-stream.ts';
import { ask, messagesIn } from '../../packages/server/test/attacks/ask.ts';
import { blocksOf } from '../docs/blocks.ts';
import { nginxCommand, startNginx, type Nginx } from './nginx.ts';

const command = nginxCommand();
if (command === undefined && process.env['CI']) throw new Error('there is no nginx');
if (command === undefined) console.log('left out: nginx is not installed');

/** What the guide says. */
const guide = blocksOf('docs/server.md').find(({ language }) => language === 'nginx')?.text ?? '';

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'behind nginx', version: '1.0.0' },
  },
};
const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' };

/** A call of a tool that tells its progress, and then waits until it is released. */
const CALL = {
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'hold', arguments: {}, _meta: { progressToken: 'p' } },
};
const PROGRESS = { method: 'notifications/progress', params: { progressToken: 'p', progress: 1 } };
const ANSWER = { id: 1, result: { content: [{ text: 'released' }] } };

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

type Adapt = (config: string) => string;

/**
 * How nginx speaks to servers unless it is told otherwise. It knows no chunks, and so holds everything
 * back; over HTTP/1.1 it may pass a chunk on although it buffers.
 */
const overHttp10: Adapt = (config) => {
  expect(config).toContain('proxy_http_version 1.1;');
  return config.replace('proxy_http_version 1.1;', '');
};

interface Holding {
  readonly serving: Serving;
  /** Fulfilled when the progress is sent. */
  readonly told: Promise<void>;
  release(): void;
}

async function startHolding(): Promise<Holding> {
  let [tell, release] = [(): void => {}, (): void => {}];
  const told = new Promise<void>((resolve) => (tell = resolve));
  const released = new Promise<void>((resolve) => (release = resolve));
  const serving = await serve({
    create: () => {
      const server = new McpServer({ name: 'holding', version: '1.0.0' });
      server.registerTool('hold', {}, async ({ mcpReq }) => {
        await mcpReq.notify(PROGRESS);
        tell();
        await released;
        return { content: [{ type: 'text', text: 'released' }] };
      });
      return server;
    },
    // The name by which the clients know nginx.
    allowedHosts: ['127.0.0.1'],
  });
  open.push(serving);
  return { serving, told, release };
}

/** nginx as the guide configures it, in front of a server; `adapt` changes that. */
async function behindNginx({ serving }: Holding, adapt: Adapt): Promise<Nginx> {
  const upstream = new URL(serving.url).host;
  const servers = adapt(
    guide.replace('listen 80;', 'listen PORT;').replace('127.0.0.1:3001', upstream),
  );
  expect(servers).toContain('listen PORT;');
  expect(servers).toContain(`server ${upstream};`);
  const nginx = await startNginx(command ?? '', servers);
  open.push(nginx);
  return nginx;
}

async function streamed(
  url: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<RawStream> {
  const stream = await RawStream.post(url, body, headers);
  open.push(stream);
  return stream;
}

async function listened(url: string, headers: Record<string, string> = {}): Promise<RawStream> {
  const stream = await RawStream.get(url, headers);
  open.push(stream);
  return stream;
}

/** The next message; what has no data is passed over. */
async function nextMessage(stream: RawStream): Promise<{ id: string; message: object }> {
  for (;;) {
    const event = await stream.next();
    if (event === undefined) throw new Error('the stream ended');
    if (event.data === '' || event.event === 'endpoint') continue;
    return { id: event.id ?? '', message: JSON.parse(event.data) as object };
  }
}

/** A session over Streamable HTTP, as the headers of its requests. */
async function streamableSession(url: string): Promise<Record<string, string>> {
  const opened = await ask(url, { body: INITIALIZE });
  expect(messagesIn(opened)).toMatchObject([{ id: 0 }]);
  const headers = { 'mcp-session-id': String(opened.headers['mcp-session-id']) };
  expect((await ask(url, { body: INITIALIZED, headers })).status).toBe(202);
  return headers;
}

const CONFIGURATIONS: readonly (readonly [string, Adapt])[] = [
  ['as the guide configures it', (config) => config],
  ['over HTTP/1.0', overHttp10],
];

beforeAll(() => expect(guide).not.toMatch(/proxy_buffering|X-Accel/));

describe.skipIf(command === undefined).each(CONFIGURATIONS)('behind nginx, %s', (_how, adapt) => {
  it('an event of HTTP+SSE arrives while its tool still runs', async () => {
    const holding = await startHolding();
    const nginx = await behindNginx(holding, adapt);
    const stream = await listened(`${nginx.origin}/sse`);
    const endpoint = new URL(await stream.nextOf('endpoint'), nginx.origin).href;
    for (const body of [INITIALIZE, INITIALIZED, CALL]) {
      expect((await ask(endpoint, { body })).status).toBe(202);
    }
    expect((await nextMessage(stream)).message).toMatchObject({ id: 0 });
    // The tool is released only once this has come.
    expect((await nextMessage(stream)).message).toMatchObject(PROGRESS);
    holding.release();
    expect((await nextMessage(stream)).message).toMatchObject(ANSWER);
  });

  it('an event of Streamable HTTP arrives while its tool still runs', async () => {
    const holding = await startHolding();
    const nginx = await behindNginx(holding, adapt);
    const url = `${nginx.origin}/mcp`;
    const stream = await streamed(url, CALL, await streamableSession(url));
    expect((await nextMessage(stream)).message).toMatchObject(PROGRESS);
    holding.release();
    expect((await nextMessage(stream)).message).toMatchObject(ANSWER);
  });

  it('a stream that breaks is resumed where it ended', async () => {
    const holding = await startHolding();
    const nginx = await behindNginx(holding, adapt);
    const url = `${nginx.origin}/mcp`;
    const headers = await streamableSession(url);
    const first = await streamed(url, CALL, headers);
    const { id } = await nextMessage(first);
    first.close();
    holding.release();
    const again = await listened(url, { ...headers, 'last-event-id': id });
    expect((await nextMessage(again)).message).toMatchObject(ANSWER);

    const sse = await listened(`${nginx.origin}/sse`);
    const endpoint = new URL(await sse.nextOf('endpoint'), nginx.origin).href;
    await ask(endpoint, { body: INITIALIZE });
    const seen = await nextMessage(sse);
    sse.close();
    const resumed = await listened(`${nginx.origin}/sse`, { 'last-event-id': seen.id });
    expect(new URL(await resumed.nextOf('endpoint'), nginx.origin).href).toBe(endpoint);
    await ask(endpoint, { body: INITIALIZED });
    await ask(endpoint, { body: { jsonrpc: '2.0', id: 'ping', method: 'ping' } });
    expect((await nextMessage(resumed)).message).toMatchObject({ id: 'ping' });
  });
});

describe.skipIf(command === undefined)('X-Accel-Buffering', () => {
  it('is what lets events pass: without it none arrives before its tool ends', async () => {
    const holding = await startHolding();
    const ignoring: Adapt = (config) =>
      overHttp10(config).replace(
        'proxy_pass ',
        'proxy_ignore_headers X-Accel-Buffering; proxy_pass ',
      );
    const nginx = await behindNginx(holding, ignoring);
    const url = `${nginx.origin}/mcp`;
    const headers = await streamableSession(url);
    let isReleased = false;
    const first = streamed(url, CALL, headers)
      .then(nextMessage)
      .then(({ message }) => ({ message, isReleased }));
    await holding.told;
    // Others pass meanwhile, ten times there and back.
    for (let count = 0; count < 10; count++) {
      const body = { jsonrpc: '2.0', id: `ping-${count}`, method: 'ping' };
      expect((await ask(url, { body, headers })).status).toBe(200);
    }
    isReleased = true;
    holding.release();
    expect(await first).toMatchObject({ message: PROGRESS, isReleased: true });
  });
});
