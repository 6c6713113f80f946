import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient } from '@longwire/client';
import { Picture, type RecordedLine } from '@longwire/recording';
import { apiKeys, hashApiKey, serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { until } from '../../../../test/support/until.ts';
import type { Context } from '../../src/context.ts';
import { Live } from '../../src/dash/live.ts';
import { servePage } from '../../src/dash/page-server.ts';
import { page as kitPage } from '../../src/page.ts';
import { Redactor } from '../../src/redact.ts';
import { FollowedPage } from '../../src/top/followed-page.ts';
import { PageClient } from '../../src/top/page-client.ts';

expectNothingLeftOpen();

let closing: (() => unknown)[];
beforeEach(() => {
  closing = [];
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

/** What of a command a page is asked with. */
function contextWith({
  headers = {},
  environment = {},
  timeoutMs,
}: {
  headers?: Record<string, string>;
  environment?: Context['environment'] | object;
  timeoutMs?: number;
} = {}): Context {
  const options = { headers, ...(timeoutMs !== undefined && { timeoutMs }) };
  return {
    options,
    environment,
    env: {},
    cwd: '/',
    redactor: new Redactor(),
    terminal: { detail: () => undefined },
    requests: { credentials: 'none' },
  } as unknown as Context;
}

async function followed(
  url: string,
  {
    signal = new AbortController().signal,
    ...given
  }: Parameters<typeof contextWith>[0] & {
    signal?: AbortSignal;
  } = {},
): Promise<FollowedPage> {
  const page = await FollowedPage.open(new PageClient(contextWith(given), url), signal);
  closing.push(() => page.close());
  return page;
}

function slowServer(): McpServer {
  const server = new McpServer({ name: 'slow', version: '1' });
  server.registerTool('wait', {}, () => new Promise<never>(() => undefined));
  server.registerTool('say', {}, () => ({ content: [{ type: 'text', text: 'x'.repeat(9_000) }] }));
  return server;
}

/** A server of a page that is whatever the test makes of it. */
class ScriptedPage {
  readonly requests: IncomingMessage[] = [];
  readonly responses: ServerResponse[] = [];
  readonly #server: Server;
  answer: (response: ServerResponse, request: IncomingMessage) => void = () => undefined;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => {
      this.requests.push(request);
      this.responses.push(response);
      this.answer(response, request);
    });
  }

  static async start(): Promise<ScriptedPage> {
    const server = createServer();
    const page = new ScriptedPage(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => page.close());
    return page;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/page`;
  }
}

function event(name: string, data: unknown, id = 'run-1'): string {
  return `event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
}

function snapshotOf(...lines: readonly RecordedLine[]): object {
  const picture = new Picture();
  for (const line of lines) picture.apply(line);
  return { at: Date.now(), mode: 'live', canCall: false, hasValues: true, picture };
}

function stream(response: ServerResponse, ...events: readonly string[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  for (const one of events) response.write(one);
}

const READY: RecordedLine = { type: 'state', at: 1, server: 'a', state: 'ready' };
const BEGIN: RecordedLine = { type: 'call', at: 2, server: 'a', call: 1, method: 'tools/call' };

describe('a page of longwire dash', () => {
  it('is followed by its address, and cancels calls', async () => {
    await using serving = await serve({ create: slowServer });
    const live = new Live();
    closing.push(() => live.close());
    const served = await servePage(live);
    closing.push(() => served.close());
    const client = createClient(serving.url, { middleware: [live.middleware('slow')] });
    closing.push(() => client.close());
    live.add('slow', client, serving.url);
    const page = await followed(served.url);
    const waiting = expect(client.callTool('wait')).rejects.toMatchObject({ code: 'aborted' });
    const running = (): number => {
      const found = [...page.log.picture.inFlight].find(({ name }) => name === 'wait');
      return found?.call ?? -1;
    };
    await until(() => expect(running()).toBeGreaterThan(0));
    expect(await page.servers?.cancel(running())).toBe(true);
    await waiting;
    await until(() => expect(running()).toBe(-1));
    expect(await page.servers?.cancel(99_999)).toBe(false);
  });
});

describe('the page of a mount', () => {
  const keys = apiKeys({
    keys: ['ann', 'operator'].map((principal) => ({
      principal,
      sha256: hashApiKey(`key-of-${principal}-0123456789`),
    })),
  });

  async function served(): Promise<string> {
    const serving = await serve({
      create: slowServer,
      auth: keys,
      page: kitPage({ allow: ({ id }) => id === 'operator', values: true }),
    });
    closing.push(() => serving.close());
    return serving.url;
  }
  const bearer = (principal: string): Record<string, string> => ({
    authorization: `Bearer key-of-${principal}-0123456789`,
  });

  it('is shown to whom it allows, with whole values, and cancels nothing', async () => {
    const url = await served();
    const client = createClient(url, { headers: bearer('ann') });
    closing.push(() => client.close());
    const address = url.replace(/mcp$/, 'page');
    const page = await followed(address, { headers: bearer('operator') });
    expect(page.servers).toBeUndefined();
    await client.callTool('say');
    await until(() => expect(page.log.picture.ended.at(-1)?.name).toBe('say'));
    const { call = 0, end } = page.log.picture.ended.at(-1) ?? {};
    expect(JSON.stringify(end)).not.toContain('x'.repeat(9_000));
    expect(JSON.stringify(await page.call(call))).toContain('x'.repeat(9_000));
    expect(await page.call(99_999)).toBeUndefined();
  });

  it('is shown with MCP_API_KEY, if it is of MCP_SERVER_URL', async () => {
    const url = await served();
    const address = url.replace(/mcp$/, 'page/');
    const apiKey = 'key-of-operator-0123456789';
    await followed(address, { environment: { serverUrl: url, apiKey } });
    const elsewhere = { serverUrl: 'http://127.0.0.1:1/mcp', apiKey };
    await expect(followed(address, { environment: elsewhere })).rejects.toMatchObject({
      code: 'unauthorized',
    });
  });

  it('says who may not see it', async () => {
    const url = await served();
    const address = url.replace(/mcp$/, 'page');
    await expect(followed(address)).rejects.toMatchObject({
      code: 'unauthorized',
      message: expect.stringMatching(/answered 401: ./),
    });
    await expect(followed(address, { headers: bearer('ann') })).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringMatching(/may not see the page/),
    });
  });
});

describe('what is no page', () => {
  const answers: Record<string, [(response: ServerResponse) => void, object]> = {
    'has nothing there': [
      (response) => void response.writeHead(404).end('<html>'),
      { code: 'not-mcp', message: expect.stringMatching(/\/page of its mount/) },
    ],
    'is a web page': [
      (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      { code: 'not-mcp' },
    ],
    'leads elsewhere': [
      (response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      { code: 'not-mcp' },
    ],
    fails: [
      (response) => void response.writeHead(503).end('{"error":{"message":"not\\u0007 now"}}'),
      { code: 'connect-failed', message: expect.stringMatching(/answered 503: not now/) },
    ],
    'streams something else': [
      (response) => stream(response, event('endpoint', '/messages')),
      { code: 'not-mcp' },
    ],
    'streams another picture': [
      (response) => stream(response, event('snapshot', { at: 1, picture: { servers: 7 } })),
      { code: 'not-mcp' },
    ],
    'streams no JSON': [
      (response) => stream(response, 'event: snapshot\ndata: {{\n\n'),
      { code: 'not-mcp' },
    ],
    'ends at once': [(response) => void (stream(response), response.end()), { code: 'not-mcp' }],
    'says nothing': [() => undefined, { code: 'connect-timeout' }],
  };
  it.each(Object.entries(answers))('%s', async (_what, [answer, error]) => {
    const scripted = await ScriptedPage.start();
    scripted.answer = answer;
    await expect(followed(scripted.url, { timeoutMs: 300 })).rejects.toMatchObject(error);
  });

  it('does not listen', async () => {
    const scripted = await ScriptedPage.start();
    const { url } = scripted;
    scripted.close();
    await expect(followed(url)).rejects.toMatchObject({
      code: 'connect-failed',
      message: expect.stringMatching(/nothing listens there/),
    });
  });

  it.each(['page', 'file:///page', '127.0.0.1:3001/page', ''])('%j is no URL of one', (address) => {
    expect(() => new PageClient(contextWith(), address)).toThrow(/--page wants the URL of a page/);
  });

  it('is not waited for after Ctrl-C', async () => {
    const scripted = await ScriptedPage.start();
    const ending = new AbortController();
    const opening = followed(scripted.url, { signal: ending.signal });
    await until(() => expect(scripted.requests).toHaveLength(1));
    ending.abort();
    await expect(opening).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('a stream', () => {
  it('that is lost is opened again, from where it was', async () => {
    const scripted = await ScriptedPage.start();
    scripted.answer = (response) => stream(response, event('snapshot', snapshotOf(READY), 'r-1'));
    const page = await followed(scripted.url);
    scripted.responses[0]?.write(event('lines', [BEGIN], 'r-2'));
    await until(() => expect([...page.log.picture.inFlight]).toHaveLength(1));
    expect(page.away).toBeUndefined();
    scripted.answer = (response) => void response.writeHead(503).end();
    scripted.responses[0]?.destroy();
    await until(() => expect(page.away?.why).toMatch(/answered 503\. It is opened again/));
    const since = page.away?.since;
    scripted.answer = (response) => stream(response);
    await until(() => expect(page.away).toBeUndefined());
    expect(since).toBeGreaterThan(0);
    expect(scripted.requests.at(-1)?.headers['last-event-id']).toBe('r-2');
    expect([...page.log.picture.inFlight]).toHaveLength(1);
    scripted.responses.at(-1)?.write(event('snapshot', snapshotOf(), 's-1'));
    await until(() => expect([...page.log.picture.inFlight]).toHaveLength(0));
  });

  it('has lines that are none of this version, or broken, left out', async () => {
    const scripted = await ScriptedPage.start();
    scripted.answer = (response) =>
      stream(
        response,
        event('snapshot', snapshotOf(READY)),
        event('lines', [{ type: 'of-tomorrow', at: 1 }, { ...BEGIN, at: 'noon' }, null, BEGIN]),
        event('of-tomorrow', 1),
      );
    const page = await followed(scripted.url);
    await until(() => expect([...page.log.picture.inFlight]).toHaveLength(1));
  });

  it('has the time of the page, and the place of its replay', async () => {
    const scripted = await ScriptedPage.start();
    const replay = { from: 1, to: 9, at: 5, speed: 1, playing: true, file: 'monday.ndjson' };
    scripted.answer = (response) =>
      stream(
        response,
        event('snapshot', { ...snapshotOf(READY), at: Date.now() + 60_000, replay }),
      );
    const page = await followed(scripted.url);
    expect(page.aheadMs).toBeGreaterThan(50_000);
    expect(page.position).toEqual(replay);
    scripted.answer = (response) => void response.writeHead(204).end();
    await page.control({ at: 7 });
    expect(scripted.requests.at(-1)?.url).toBe('/page/api/replay');
    scripted.responses[0]?.write(event('replay', { ...replay, at: 7 }));
    await until(() => expect(page.position?.at).toBe(7));
  });

  it('of one node: a call of the same number that another has is not shown', async () => {
    const scripted = await ScriptedPage.start();
    scripted.answer = (response, { url }) => {
      if (url?.endsWith('/stream')) stream(response, event('snapshot', snapshotOf(READY, BEGIN)));
      else response.end(JSON.stringify({ ...BEGIN, server: 'b', attempts: [] }));
    };
    const page = await followed(scripted.url);
    expect(page.log.picture.find(1)).toBeDefined();
    expect(await page.call(1)).toBeUndefined();
  });
});

it('sends the user of its address as a browser does, and tells it to nobody', async () => {
  const scripted = await ScriptedPage.start();
  scripted.answer = (response) => void response.writeHead(401).end();
  const url = scripted.url.replace('//', '//me:p%C3%A4ss-0123456789@');
  const context = contextWith();
  const opening = FollowedPage.open(new PageClient(context, url), new AbortController().signal);
  await expect(opening).rejects.toMatchObject({
    code: 'unauthorized',
    message: expect.not.stringMatching(/ss-0123456789/),
  });
  const sent = scripted.requests[0]?.headers.authorization ?? '';
  expect(Buffer.from(sent.replace('Basic ', ''), 'base64').toString()).toBe('me:päss-0123456789');
  expect(context.requests.credentials).toBe('header');
});
