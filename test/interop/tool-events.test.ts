import { connect, type LongwireClient } from '@longwire/client';
import { mcp, serve, type Serving } from '@longwire/server';
import { fastify } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDemoServer } from '../../packages/cli/src/demo/server.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { type CliProcess, type CliRun, runCli, startCli } from '../support/run-cli.ts';
import {
  startToolEventsServer,
  type ToolEventsServer,
  type ToolEventsServerOptions,
} from '../support/tool-events-servers.ts';
import { eventTools } from '../support/tool-events-tools.ts';
import { until } from '../support/until.ts';
import { connectOfficial } from './support/official-client.ts';

expectNothingLeftOpen();

const apiKey = 'key-of-the-tool-events-test';
const concurrentCalls = 50;

/** What `tools` prints: MCP's name for the schema, and everything else as it was. */
const listedTools: unknown = JSON.parse(
  JSON.stringify(
    eventTools.map(({ input_schema: snake, inputSchema = snake, ...rest }) => ({
      ...rest,
      inputSchema,
    })),
  ),
);

/** The headers of a request that hold the key. */
function keyHeaders(headers: IncomingHttpHeaders): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(headers).filter(([, value]) => String(value).includes(apiKey)),
  );
}

/** The text of the first block of each result. */
function textsOf(results: { content: unknown[] }[]): unknown[] {
  return results.map(({ content }) => (content[0] as { text?: unknown }).text);
}

/** Many calls at once, each with a message of its own. */
async function callConcurrently(
  client: LongwireClient,
): Promise<{ asked: string[]; told: unknown[] }> {
  const asked = Array.from({ length: concurrentCalls }, (_, n) => `message ${n}`);
  const results = await Promise.all(asked.map((message) => client.callTool('echo', { message })));
  return { asked, told: textsOf(results) };
}

const kinds: [name: string, options: Omit<ToolEventsServerOptions, 'apiKey'>][] = [
  ['answers in the body and never ends it', { kind: 'answers-in-body' }],
  ['answers 202 and sends results on the stream', { kind: 'answers-on-stream' }],
  ['has a fixed endpoint with a query', { kind: 'fixed-endpoint' }],
];

describe.for(kinds)('a tool-events server that %s', ([, options]) => {
  let server: ToolEventsServer;
  beforeAll(async () => {
    server = await startToolEventsServer({ ...options, apiKey });
  });
  afterAll(() => server.close());

  /** Runs the command with nothing set but the address and the key; also gives what reached the server. */
  async function run(args: string[], path = ''): Promise<CliRun & Pick<ToolEventsServer, 'calls'>> {
    const { length: before } = server.calls;
    const env = { MCP_SERVER_URL: server.url + path, MCP_API_KEY: apiKey };
    const ended = await runCli(args, { env });
    return { ...ended, calls: server.calls.slice(before) };
  }

  /** Starts a call that never ends, and comes back when it has reached the tool. */
  async function startCalling(env: Record<string, string>): Promise<CliProcess> {
    const { length: before } = server.calls;
    const command = await startCli(['call', 'hang'], { env });
    await until(() => expect(server.calls.length).toBe(before + 1));
    return command;
  }

  test.for(['', '/', '/sse', '/sse/'])(
    'is found at its origin%s, and lists its tools',
    async (path) => {
      const { code, stdout, stderr, calls } = await run(['tools', '--json'], path);
      expect([code, stderr]).toEqual([0, '']);
      expect(JSON.parse(stdout)).toEqual(listedTools);
      expect(calls, 'nothing was executed to find out').toEqual([]);
    },
  );

  test('is named for what it is', async () => {
    const { code, stdout, calls } = await run(['inspect', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      transport: 'tool-events',
      counts: { tools: eventTools.length, resources: 0, resourceTemplates: 0, prompts: 0 },
    });
    expect(calls).toEqual([]);
  });

  test.for(['', '/sse'])('is called at its origin%s, once', async (path) => {
    const { code, stdout, stderr, calls } = await run(
      ['call', 'add', 'a=1', 'b=2', '--json'],
      path,
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual({
      content: [{ type: 'text', text: '{"sum":3}' }],
      structuredContent: { sum: 3 },
    });
    expect(calls).toMatchObject([{ tool: 'add', args: { a: 1, b: 2 } }]);
  });

  test('a tool that fails: 1, its words, or that there were none', async () => {
    const spoke = await run(['call', 'fail', 'message=out of tea']);
    expect([spoke.code, spoke.stdout]).toEqual([1, 'out of tea\n']);
    const silent = await run(['call', 'fail_silently']);
    expect([silent.code, silent.stdout]).toEqual([1, expect.stringMatching(/no message/)]);
    expect(silent.calls).toHaveLength(1);
  });

  test('what is wrong is found before anything is executed', async () => {
    const runs = [
      await run(['call', 'ecoh', 'message=hi']),
      await run(['call', 'echo']),
      await run(['call', 'add', 'a=1', 'b=two']),
    ];
    expect(runs.map(({ code, calls }) => ({ code, calls }))).toEqual(
      runs.map(() => ({ code: 2, calls: [] })),
    );
  });

  test('Ctrl-C during a call: 130, and a cut connection: 6, each with one line', async () => {
    const env = { MCP_SERVER_URL: server.url, MCP_API_KEY: apiKey };
    const interrupted = await startCalling(env);
    interrupted.kill('SIGINT');
    expect(await interrupted.done).toMatchObject({
      code: 130,
      stdout: '',
      stderr: 'Interrupted.\n',
    });
    const cut = await startCalling(env);
    server.cut();
    const { code, stdout, stderr } = await cut.done;
    expect([code, stdout]).toEqual([6, '']);
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
    await until(() => expect(server.openStreams()).toBe(0));
  });

  test('a wrong key: 4, and nothing is executed', async () => {
    const env = { MCP_SERVER_URL: server.url, MCP_API_KEY: 'another-key' };
    const { length: before } = server.calls;
    const { code, stderr } = await runCli(['call', 'echo', 'message=hi'], { env });
    expect(code).toBe(4);
    expect(stderr).toContain('MCP_API_KEY');
    expect(stderr).not.toContain('another-key');
    expect(server.calls).toHaveLength(before);
  });

  test('the key arrives in the headers of the transport and nowhere else', async () => {
    const { length: before } = server.requests;
    await run(['call', 'echo', 'message=hi']);
    const requests = server.requests.slice(before);
    const calls = requests.filter(({ json }) => (json as { tool?: string } | undefined)?.tool);
    const probes = requests.filter((request) => !calls.includes(request));
    const authorization = `Bearer ${apiKey}`;
    expect(probes.length).toBeGreaterThan(0);
    for (const { headers } of probes) {
      expect([{ api_key: apiKey }, { authorization, api_key: apiKey }]).toContainEqual(
        keyHeaders(headers),
      );
    }
    expect(calls.map(({ headers }) => keyHeaders(headers))).toEqual([{ api_key: apiKey }]);
    expect(JSON.stringify(requests.map(({ url, body }) => [url, body]))).not.toContain(apiKey);
  });

  describe('through the library', () => {
    const open = (): Promise<LongwireClient> =>
      connect(server.url, { headers: { api_key: apiKey } });

    test('many calls at once each get their own result', async () => {
      await using client = await open();
      expect(client.state).toMatchObject({ transport: 'tool-events' });
      const { length: before } = server.calls;
      const { asked, told } = await callConcurrently(client);
      expect(told).toEqual(asked);
      const received = server.calls.slice(before).map(({ args }) => args['message'] as string);
      expect(received.toSorted()).toEqual(asked.toSorted());
    });

    test('calls run side by side only where no result can reach the wrong one', async () => {
      await using fresh = await startToolEventsServer({ ...options, apiKey });
      await using client = await connect(fresh.url, { headers: { api_key: apiKey } });
      const durations = Array.from({ length: 8 }, (_, n) => 40 - 5 * n);
      const results = await Promise.all(durations.map((ms) => client.callTool('slow', { ms })));
      expect(results.map(({ structuredContent }) => structuredContent)).toEqual(
        durations.map((slept) => ({ slept })),
      );
      if (options.kind === 'answers-on-stream') expect(fresh.maxInFlight()).toBe(1);
      else expect(fresh.maxInFlight()).toBeGreaterThan(1);
    });

    test('results and errors among each other stay apart', async () => {
      await using client = await open();
      const results = await Promise.all([
        client.callTool('fail', { message: 'no' }),
        client.callTool('content'),
        client.callTool('unheard_of'),
        client.callTool('add', { a: 1, b: 1 }),
      ]);
      expect(textsOf(results)).toEqual([
        'no',
        'from content',
        expect.stringContaining('unheard_of'),
        '{"sum":2}',
      ]);
      expect(results.map(({ isError = false }) => isError)).toEqual([true, false, true, false]);
    });

    test('a call whose connection is cut fails at once, and the next one works', async () => {
      await using client = await open();
      const states: string[] = [];
      client.on('state', ({ name }) => states.push(name));
      const { length: before } = server.calls;
      const call = client.callTool('hang');
      const failure = expect(call).rejects.toMatchObject({
        code: 'connection-lost',
        certainty: 'outcome-unknown',
      });
      await until(() => expect(server.calls.length).toBe(before + 1));
      server.cut();
      await failure;
      // The stream goes by a socket of its own, whose end may be noticed a moment later.
      await until(() => expect(states).toContain('reconnecting'));
      expect(textsOf([await client.callTool('echo', { message: 'again' })])).toEqual(['again']);
    });
  });
});

describe('our own server with toolEvents', () => {
  let serving: Serving;
  beforeAll(async () => {
    serving = await serve({ create: () => createDemoServer(), toolEvents: true });
  });
  afterAll(() => serving.close());

  test.for([
    ['.', 'streamable-http'],
    ['', 'sse'],
  ] as const)('is recognised at %j as %s', async ([path, transport]) => {
    const target = new URL(path, serving.sseUrl).href;
    const env = { MCP_SERVER_URL: target, MCP_API_KEY: apiKey };
    const { code, stdout } = await runCli(['inspect', '--json'], { env });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      transport,
      server: { name: 'longwire-demo' },
      counts: { resources: 2, prompts: 1 },
    });
  });

  test('lists its tools whole, and is called', async () => {
    // A server of its own: it takes the official client's idle sockets with it.
    await using own = await serve({ create: () => createDemoServer(), toolEvents: true });
    await using official = await connectOfficial(own.sseUrl);
    const { tools } = await official.raw('tools/list');
    const env = { MCP_SERVER_URL: own.sseUrl, MCP_API_KEY: apiKey };
    const listed = await runCli(['tools', '--json'], { env });
    expect(JSON.parse(listed.stdout)).toEqual(tools);
    const called = await runCli(['call', 'add', 'a=1', 'b=2'], { env });
    expect([called.code, called.stdout]).toEqual([0, '1 + 2 = 3\n']);
  });

  test('many calls at once each get their own result', async () => {
    await using client = await connect(serving.sseUrl);
    expect(client.state).toMatchObject({ transport: 'sse' });
    const { asked, told } = await callConcurrently(client);
    expect(told).toEqual(asked);
  });

  test('speaks the transport to who insists on it', async () => {
    const args = ['call', serving.sseUrl, 'add', 'a=1', 'b=2', '--transport', 'tool-events'];
    const { code, stdout } = await runCli(args);
    expect([code, stdout]).toEqual([0, '1 + 2 = 3\n']);
    await using client = await connect(serving.sseUrl, { transport: 'tool-events' });
    expect(client.state).toMatchObject({ transport: 'tool-events' });
    const { asked, told } = await callConcurrently(client);
    expect(told).toEqual(asked);
  });
});

test('behind a guard, our own server is given the key as a bearer token once it is known', async () => {
  const app = fastify({ forceCloseConnections: true });
  const seen: { method: string; url: string; keys: Record<string, unknown> }[] = [];
  app.addHook('onRequest', async ({ method, url, headers }, reply) => {
    const keys = keyHeaders(headers);
    seen.push({ method, url, keys });
    if (keys['authorization'] === undefined) await reply.code(401).send('a key, please');
  });
  await app.register(mcp, { create: () => createDemoServer(), toolEvents: true });
  try {
    const origin = await app.listen({ host: '127.0.0.1', port: 0 });
    const target = `${origin}/sse`;
    const refused = await runCli(['tools'], { env: { MCP_SERVER_URL: target } });
    expect(refused.code).toBe(4);
    seen.length = 0;

    const env = { MCP_SERVER_URL: target, MCP_API_KEY: apiKey };
    const { code, stdout } = await runCli(['call', 'echo', 'message=hi'], { env });
    expect([code, stdout]).toEqual([0, 'hi\n']);
    const authorization = `Bearer ${apiKey}`;
    const isStream = ({ method }: (typeof seen)[number]): boolean => method === 'GET';
    const asked = seen.findIndex(isStream);
    for (const { keys } of seen.slice(0, asked)) {
      expect(keys).toEqual({ authorization, api_key: apiKey });
    }
    const [stream, initialize, ...rest] = seen.slice(asked);
    expect(stream).toEqual({
      method: 'GET',
      url: '/sse',
      keys: { authorization, api_key: apiKey },
    });
    expect(initialize?.keys).toMatchObject({ authorization });
    expect(rest.length).toBeGreaterThanOrEqual(3);
    expect(rest.map(({ keys }) => keys)).toEqual(rest.map(() => ({ authorization })));
    expect(JSON.stringify(seen.map(({ url }) => url))).not.toContain(apiKey);
  } finally {
    await app.close();
  }
});
