import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createClient,
  LongwireError,
  type ClientOptions,
  type TargetOption,
} from '../../src/index.ts';
import { bearer, logging } from '../../src/middleware/index.ts';
import { tracing } from '../../src/middleware/tracing.ts';

const TOKEN = 'tok-5f2b8c1d9e7a4036';
const PASSWORD = 'pa55-w0rd-of-the-url';

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** How a server puts what it was sent into its refusal of a call. */
type Echo = (answer: ServerResponse, sent: string, id: unknown) => void;

const json = (answer: ServerResponse, status: number, body: object, headers = {}): void => {
  answer
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(JSON.stringify(body));
};

const rpcError = (answer: ServerResponse, sent: string, id: unknown): void =>
  json(answer, 200, {
    jsonrpc: '2.0',
    id,
    error: { code: -32000, message: `who is ${sent}?`, data: { headers: [sent], [sent]: 1 } },
  });

const echoes: [how: string, echo: Echo][] = [
  ['the message and the data of an error', rpcError],
  ['the body of a 500', (answer, sent) => json(answer, 500, { got: sent })],
  ['the body of a 401', (answer, sent) => json(answer, 401, {}, { 'www-authenticate': sent })],
  ['the body of a 403', (answer, sent) => json(answer, 403, { denied: sent })],
  [
    'a body that is cut in the middle of it',
    (answer, sent) => answer.writeHead(500).end(`${'x'.repeat(490)}${sent}`),
  ],
  ['the reason of a status', (answer, sent) => answer.writeHead(500, sent).end()],
  [
    'the place of a redirection',
    (answer, sent) =>
      answer.writeHead(302, { location: `http://h/${encodeURIComponent(sent)}` }).end(),
  ],
  [
    'the place of a redirection to elsewhere',
    (answer, sent) =>
      answer.writeHead(307, { location: `http://h/${encodeURIComponent(sent)}` }).end(),
  ],
  [
    'what is no answer',
    (answer, sent) => {
      answer.writeHead(200, { 'content-type': 'application/json' }).end(`{"who": "${sent}`);
    },
  ],
  ['an answer of another type', (answer, sent) => answer.writeHead(200).end(`who is ${sent}?`)],
  [
    'what is no HTTP',
    (answer, sent) => void answer.socket?.end(`HTTP/1.1 2xx ${sent}\r\n\r\n${sent}`),
  ],
];

/** A server that takes everything but calls. */
async function serve(echo: Echo, atHandshake = false): Promise<string> {
  const server = createServer((request, answer) => {
    void read(request).then((text) => {
      const { id, method, params } = JSON.parse(text || '{}') as {
        id?: unknown;
        method?: string;
        params?: { protocolVersion?: string };
      };
      const sent = String(request.headers.authorization ?? request.headers['x-api-key']);
      if (request.method !== 'POST') return void answer.writeHead(405).end();
      if (method === 'tools/call' || (atHandshake && id !== undefined))
        return echo(answer, sent, id);
      if (id === undefined) return void answer.writeHead(202).end();
      if (method !== 'initialize') {
        const error = { code: -32601, message: 'Method not found' };
        return json(answer, 200, { jsonrpc: '2.0', id, error });
      }
      const { protocolVersion } = params ?? {};
      const serverInfo = { name: 'echo', version: '1' };
      const result = { protocolVersion, capabilities: { tools: {} }, serverInfo };
      return json(answer, 200, { jsonrpc: '2.0', id, result });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

async function read(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

/** Everything that leaves the library of one failing call. */
async function told(target: TargetOption, options: ClientOptions): Promise<string> {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const lines: unknown[] = [];
  const log = (...line: unknown[]): void => void lines.push(line);
  const logger = { debug: log, info: log, warn: log, error: log };
  const client = createClient(target, {
    retry: { maxAttempts: 0 },
    ...options,
    middleware: [
      logging(logger, { level: 'debug', maxValueChars: 100_000 }),
      tracing({ tracer: provider.getTracer('test') }),
      ...(options.middleware ?? []),
    ],
  });
  open.push(() => client.close());
  const heard: unknown[] = [];
  client.on('state', (state) => heard.push(state));
  client.on('error', (error) => heard.push(error));
  const error: unknown = await client.callTool('who', {}).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(LongwireError);
  const { stack } = error as LongwireError;
  const health = await client.health();
  const spans = exporter.getFinishedSpans().map(({ attributes, events, status, name }) => {
    return { attributes, events, status, name };
  });
  return inspect(
    { error, stack, heard, health, state: client.state, stats: client.stats(), lines, spans },
    { depth: 20, maxStringLength: null, maxArrayLength: null },
  );
}

/** A part of a secret says most of it. */
function expectNothingOf(secret: string, text: string): void {
  for (let at = 0; at + 8 <= secret.length; at++) {
    expect(text).not.toContain(secret.slice(at, at + 8));
  }
}

describe.each(echoes)('a server that echoes credentials in %s', (_how, echo) => {
  it.each<[from: string, options: ClientOptions]>([
    ['fixed headers', { headers: { authorization: `Bearer ${TOKEN}` } }],
    ['a function', { headers: async () => ({ authorization: `Bearer ${TOKEN}` }) }],
    ['a middleware', { middleware: [bearer(() => TOKEN)] }],
    ['a key of its own', { headers: { 'X-Api-Key': TOKEN } }],
  ])('makes nobody tell those of %s', async (_from, options) => {
    const text = await told(await serve(echo), options);
    expect(text).toContain("name: 'tools/call who'");
    expectNothingOf(TOKEN, text);
  });
});

it('shows no credentials that are echoed in the handshake', async () => {
  for (const [, echo] of echoes) {
    const url = await serve(echo, true);
    expectNothingOf(TOKEN, await told(url, { headers: { authorization: `Bearer ${TOKEN}` } }));
  }
});

it('shows neither the user information nor the query of its URL', async () => {
  const url = new URL(
    await serve((answer, sent) => {
      const decoded = Buffer.from(sent.replace('Basic ', ''), 'base64').toString();
      rpcError(answer, `${sent} or ${decoded} with ${TOKEN}`, 1);
    }),
  );
  url.username = 'somebody';
  url.password = PASSWORD;
  url.searchParams.set('api_key', TOKEN);
  const text = await told(url, {});
  expectNothingOf(PASSWORD, text);
  expectNothingOf(TOKEN, text);
  expectNothingOf(Buffer.from(`somebody:${PASSWORD}`).toString('base64'), text);
});

it('knows a token after two hundred others, and a session by its id', async () => {
  let at = 0;
  const url = await serve(rpcError);
  const token = (): string => `${TOKEN}-${at++}`;
  const client = createClient(url, { headers: () => ({ authorization: `Bearer ${token()}` }) });
  open.push(() => client.close());
  for (let call = 0; call < 250; call++) {
    const error: unknown = await client.callTool('who', {}).catch((reason: unknown) => reason);
    expectNothingOf(TOKEN, inspect(error, { depth: 10 }));
  }
});

it('keeps words that are the value of something else', async () => {
  const url = new URL(await serve(rpcError));
  url.searchParams.set('region', 'market');
  url.username = 'longwire';
  const client = createClient(url, {
    headers: { authorization: `Bearer ${TOKEN}`, 'x-for': 'market' },
  });
  open.push(() => client.close());
  const error: unknown = await client.callTool('who', {}).catch((reason: unknown) => reason);
  expect(String(error)).toContain('who is ***?');
  const other: unknown = await client
    .callTool('read_market_data', {}, { signal: AbortSignal.abort() })
    .catch((reason: unknown) => reason);
  expect(String(other)).toContain('read_market_data');
});

it('keeps its own words, and the results of tools, as they are', async () => {
  const url = await serve((answer, sent, id) =>
    json(answer, 200, { jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: sent }] } }),
  );
  const client = createClient(url, { headers: { authorization: `Bearer ${TOKEN}` } });
  open.push(() => client.close());
  const { content } = await client.callTool('who', {});
  expect(content).toEqual([{ type: 'text', text: `Bearer ${TOKEN}` }]);
  const refused = createClient(await serve((answer) => answer.writeHead(401).end('headers')), {
    headers: { authorization: 'headers', 'x-token': 'give' },
  });
  open.push(() => refused.close());
  await expect(refused.callTool('who', {})).rejects.toMatchObject({
    hint: 'give credentials that it takes, in headers',
    message: expect.stringMatching(
      /: \*\*\*; give credentials that it takes, in headers$/,
    ) as string,
  });
});

describe('a server that is a command', () => {
  const script = `
    process.stderr.write('started as ' + process.argv.slice(2).join(' ') + ' with ' + process.env.API_TOKEN);
    process.stdin.once('data', () => process.exit(3));`;

  it('has keys among its words and in its variables, which are never shown', async () => {
    const text = await told(
      {
        command: process.execPath,
        args: ['-e', script, '--', `--api-key=${TOKEN}`, '--token', PASSWORD],
        env: { API_TOKEN: 'env-0c9d8e7f6a5b4c3d' },
      },
      {},
    );
    expect(text).toContain('ended with code 3');
    for (const secret of [TOKEN, PASSWORD, 'env-0c9d8e7f6a5b4c3d']) expectNothingOf(secret, text);
  });

  it('is called by its words without them', async () => {
    const serving = `
      process.stdin.on('data', (chunk) => {
        for (const line of String(chunk).trim().split('\\n')) {
          const { id, method, params } = JSON.parse(line);
          if (method === 'initialize') console.log(JSON.stringify({ jsonrpc: '2.0', id, result: {
            protocolVersion: params.protocolVersion, capabilities: {}, serverInfo: { name: 's', version: '1' } } }));
        }
      });`;
    const args = ['-e', serving.replace(/\s+/g, ' ').slice(0, 1000), '--', `--key=${TOKEN}`];
    const client = createClient({ command: process.execPath, args: ['--title=x', ...args] });
    open.push(() => client.close());
    await client.connect();
    expectNothingOf(TOKEN, inspect(client.state, { depth: 5 }));
  });
});
