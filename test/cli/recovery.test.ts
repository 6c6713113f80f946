import { describe, expect, test } from 'vitest';
import { startScriptedClaude } from '../../packages/agent/test/support/scripted-claude.ts';
import { type HostileSseServer, type Mischief, startHostileSse } from '../support/hostile-sse.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { type CliOptions, type CliProcess, type CliRun, startCli } from '../support/run-cli.ts';
import { until } from '../support/until.ts';
import { apiKey, complaintOf, expectSecretsKept, runWithKey } from './support/keyed-run.ts';

expectNothingLeftOpen();

const inputSchema = { type: 'object', properties: { at: { type: 'string' } } };
const tools = [
  { name: 'look', inputSchema, annotations: { readOnlyHint: true } },
  { name: 'pay', inputSchema, annotations: { destructiveHint: true } },
];
const away = { status: 503, body: 'gone for a moment' };

/** A server with a tool that may be called twice and one that may not. */
function startServer(mischief: Mischief = {}): Promise<HostileSseServer> {
  return startHostileSse({
    answer: ({ method, params }) => {
      if (method === 'tools/list') return { tools };
      if (method !== 'tools/call') return undefined;
      return { content: [{ type: 'text', text: `${String(params?.['name'])} ran` }] };
    },
    ...mischief,
  });
}

function start(
  server: HostileSseServer,
  args: string[],
  options: Omit<CliOptions, 'env'> = {},
): Promise<CliProcess> {
  return startCli(args, { ...options, env: { MCP_SERVER_URL: server.url, MCP_API_KEY: apiKey } });
}

/** Runs a call, and cuts its connection in the middle of it. */
async function callOverCut(server: HostileSseServer, args: string[]): Promise<CliRun> {
  server.mischief.hangOnCall = true;
  await using command = await start(server, ['call', ...args]);
  await until(() => expect(server.messagesOf('tools/call')).toHaveLength(1));
  server.mischief.hangOnCall = false;
  server.cut();
  const run = await command.done;
  expectSecretsKept(server, run);
  await until(() => expect(server.openStreams()).toBe(0));
  return run;
}

const cutOff = String.raw`GET http://127\.0\.0\.1:\d+/sse(?: [a-z ]+)?: .+`;

describe('call', () => {
  test('survives a cut where that does no harm, and says so in one line', async () => {
    await using server = await startServer();
    const run = await callOverCut(server, ['look']);
    expect([run.code, run.stdout]).toEqual([0, 'look ran\n']);
    expect(run.stderr).toMatch(
      new RegExp(
        `^the connection was lost \\(${cutOff}\\) and is back; the call was sent again\n$`,
      ),
    );
    expect(server.messagesOf('tools/call')).toHaveLength(2);
    expect(server.openedSessions()).toBe(2);
  });

  test('with --json the result is all of stdout; with --quiet nothing is said', async () => {
    await using server = await startServer();
    const run = await callOverCut(server, ['look', '--json', '--quiet']);
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect(JSON.parse(run.stdout)).toMatchObject({ content: [{ text: 'look ran' }] });
  });

  test('with --verbose shows every attempt and its reason', async () => {
    await using server = await startServer();
    const run = await callOverCut(server, ['look', '--verbose']);
    expect([run.code, run.stdout]).toEqual([0, 'look ran\n']);
    const [first, ...lines] = run.stderr.split('\n').filter((line) => !line.startsWith('  '));
    expect(first).toBe('connecting');
    const words = [
      String.raw`ready: sse at http://127\.0\.0\.1:\d+/messages, in .+ m?s`,
      String.raw`reconnecting in \d+ ms \(attempt 1 of 5\): ${cutOff}`,
      'connecting again',
      String.raw`ready again \(new session\): sse at http://127\.0\.0\.1:\d+/messages, in .+ m?s`,
      String.raw`the connection was lost \(.*\) and is back; the call was sent again`,
      'closed',
      '',
    ];
    expect(lines).toEqual(words.map((line) => expect.stringMatching(new RegExp(`^${line}$`))));
  });

  test('on a resumed session nothing is sent twice, and that is said', async () => {
    await using server = await startServer({ eventIds: true });
    server.mischief.hangOnCall = true;
    await using command = await start(server, ['call', 'pay']);
    await until(() => expect(server.messagesOf('tools/call')).toHaveLength(1));
    server.cut();
    await until(() =>
      expect(server.requests.filter(({ method }) => method === 'GET')).toHaveLength(2),
    );
    const { id } = server.messagesOf('tools/call')[0] ?? {};
    const result = { content: [{ type: 'text', text: 'paid once' }] };
    server.push({ jsonrpc: '2.0', id: id ?? 'none', result });
    const run = await command.done;
    expect([run.code, run.stdout]).toEqual([0, 'paid once\n']);
    expect(run.stderr).toMatch(
      / and is back; its session was resumed, and the call was sent only once\n$/,
    );
    expect(server.messagesOf('tools/call')).toHaveLength(1);
    expectSecretsKept(server, run);
  });

  test('says nothing where nothing was lost', async () => {
    await using server = await startServer();
    expect(await runWithKey(server, ['call', 'look'])).toMatchObject({ code: 0, stderr: '' });
  });

  test('that may have changed something is not sent again: 6', async () => {
    await using server = await startServer();
    const run = await callOverCut(server, ['pay']);
    expect([run.code, run.stdout]).toEqual([6, '']);
    expect(complaintOf(run)).toMatch(/lost during the call of pay.*whether it ran is not known/);
    expect(server.messagesOf('tools/call')).toHaveLength(1);
  });

  test('waits for a server that is away, as long as it may: 5', async () => {
    await using server = await startServer();
    server.mischief.hangOnCall = true;
    await using command = await start(server, ['call', 'look', '--timeout', '3s']);
    await until(() => expect(server.messagesOf('tools/call')).toHaveLength(1));
    server.mischief.getAnswer = away;
    server.cut();
    const run = await command.done;
    expect([run.code, run.stdout]).toEqual([5, '']);
    expect(run.stderr).toMatch(
      /^the connection was lost \(.*\) and did not come back in time\nerror: the call of look.*\n$/,
    );
  });

  test('Ctrl-C while it reconnects: 130, and nothing is left', async () => {
    await using server = await startServer();
    server.mischief.hangOnCall = true;
    await using command = await start(server, ['call', 'look', '--verbose']);
    await until(() => expect(server.messagesOf('tools/call')).toHaveLength(1));
    server.mischief.getAnswer = away;
    server.cut();
    await command.waitFor(/attempt 2 of 5\): .*503: gone for a moment/);
    command.kill('SIGINT');
    const run = await command.done;
    expect([run.code, run.stdout]).toEqual([130, '']);
    expect(run.stderr).toMatch(/\nInterrupted\.\n$/);
    expect(run.stderr).not.toContain('the connection was lost');
    expectSecretsKept(server, run);
    await until(() => expect(server.openConnections()).toBe(0));
  });
});

describe('watch', () => {
  /** Another version of the server in every session. */
  async function startChanging(): Promise<HostileSseServer> {
    const server = await startServer();
    const { answer } = server.mischief;
    server.mischief.answer = (request) => {
      if (request.method !== 'initialize') return answer?.(request);
      const serverInfo = { name: 'everything', version: `1.${server.openedSessions() - 1}` };
      return { protocolVersion: '2024-11-05', capabilities: {}, serverInfo };
    };
    return server;
  }

  test('shows that it reconnects and is ready again, and runs until Ctrl-C', async () => {
    await using server = await startChanging();
    await using command = await start(server, ['watch']);
    await command.waitFor(/Watching/);
    server.mischief.getAnswer = away;
    server.cut();
    await command.waitFor(/reconnecting in .* \(attempt \d\): .*503: gone for a moment/);
    delete server.mischief.getAnswer;
    await command.waitFor(/ready again/);
    server.push({ jsonrpc: '2.0', method: 'notifications/message', params: { data: 'the end' } });
    await command.waitFor(/the end/);
    command.kill('SIGINT');
    const run = await command.done;
    expect(run.code).toBe(130);
    expect(run.stdout).toMatch(
      new RegExp(
        `Z reconnecting in \\d+ ms \\(attempt \\d\\): ${cutOff}\n[^]*Z connecting again\n`,
      ),
    );
    expect(run.stdout).toMatch(
      /Z ready again \(new session\): sse at \S+, in .*; the server is another now: was everything 1\.0, is everything 1\.1\n/,
    );
    expectSecretsKept(server, run);
    await until(() => expect(server.openConnections()).toBe(0));
  });

  test('with --json each of it is one line', async () => {
    await using server = await startChanging();
    await using command = await start(server, ['watch', '--json']);
    await command.waitFor(/Watching/);
    server.cut();
    await command.waitFor(/"formerServer"/);
    command.kill('SIGINT');
    const run = await command.done;
    expect(run.code).toBe(130);
    const events = run.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; state: object });
    expect(events.map(({ event }) => event)).toEqual(events.map(() => 'state'));
    const connectMs = expect.toSatisfy(Number.isInteger);
    const ready = { name: 'ready', transport: 'sse', resumed: false, connectMs };
    expect(events.map(({ state }) => state)).toEqual([
      { name: 'connecting', attempt: 1, known: false },
      expect.objectContaining(ready),
      {
        name: 'reconnecting',
        attempt: expect.any(Number),
        reason: { code: 'connection-lost', message: expect.stringMatching(`^${cutOff}$`) },
        nextDelayMs: expect.any(Number),
        known: true,
      },
      {
        name: 'connecting',
        attempt: expect.any(Number),
        reason: { code: 'connection-lost', message: expect.stringMatching(`^${cutOff}$`) },
        known: true,
      },
      expect.objectContaining({
        ...ready,
        formerServer: { name: 'everything', version: '1.0' },
      }),
      { name: 'closed' },
    ]);
    expectSecretsKept(server, run);
  });

  test.for([[[]], [['--json']]])(
    'hides the id of a session that it logs, with %j',
    async ([flags]) => {
      await using server = await startServer();
      await using command = await start(server, ['watch', ...(flags ?? [])]);
      const logSession = (remark: string): void => {
        const id = new URL(server.requests.at(-1)?.url ?? '', server.url).searchParams.get(
          'sessionId',
        );
        expect(id).toMatch(/^[-\w]{36}$/);
        const data = `Received a request from session ${id}, ${remark}`;
        server.push({ jsonrpc: '2.0', method: 'notifications/message', params: { data } });
      };
      await command.waitFor(/Watching/);
      logSession('the first');
      await command.waitFor(/the first/);
      server.cut();
      await command.waitFor(/ready again|"ready"[^]*"ready"/);
      logSession('the second');
      await command.waitFor(/the second/);
      command.kill('SIGINT');
      const run = await command.done;
      expect(run.code).toBe(130);
      expect(server.openedSessions()).toBe(2);
      expect(run.stdout).toMatch(
        /from session \*\*\*, the first[^]*from session \*\*\*, the second/,
      );
      expectSecretsKept(server, run);
    },
  );

  test('ends when the server refuses for good: 4', async () => {
    await using server = await startServer();
    await using command = await start(server, ['watch']);
    await command.waitFor(/Watching/);
    server.mischief.getAnswer = { status: 401, body: 'no more' };
    server.cut();
    const run = await command.done;
    expect(run.code).toBe(4);
    expect(run.stderr).toMatch(
      /^Watching.*\nerror: the connection was lost and cannot be made again: .*401: no more.*; MCP_API_KEY was sent.*\n$/,
    );
    expect(run.stdout).toMatch(/Z reconnecting [^]*Z resting: .*401/);
  });
});

describe('chat', () => {
  const env = (url: string): Record<string, string> => ({
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: 'sk-ant-key-of-the-recovery-test',
  });

  test.for([
    {
      tool: 'look',
      calls: ['look', 'look'],
      shown: /✓ look: look ran/,
      told: /look ran/,
    },
    {
      tool: 'pay',
      calls: ['pay'],
      shown: /✗ pay: the connection was lost during the call of pay/,
      told: /outcome is unknown.*Assume neither/,
    },
  ])('continues after a cut in the middle of $tool', async ({ tool, calls, shown, told }) => {
    await using server = await startServer({ hangOnCall: true });
    const claude = await startScriptedClaude([
      { text: 'Let me see.', calls: [{ id: 'toolu_1', name: tool }] },
      { text: 'That is all.' },
      { calls: [{ id: 'toolu_2', name: 'look' }] },
      { text: 'Still there.' },
    ]);
    try {
      const args = ['chat', server.url, '--yes'];
      await using command = await startCli(args, { env: env(claude.url), stdin: 'open' });
      command.write('Go\n');
      await until(() => expect(server.messagesOf('tools/call')).toHaveLength(1));
      server.mischief.hangOnCall = false;
      server.cut();
      await command.waitFor(/That is all/);
      await command.waitFor(/ready again/);
      command.write('And now?\n');
      await command.waitFor(/Still there/);
      command.endInput();
      const run = await command.done;
      expect([run.code, run.stdout]).toEqual([0, 'Let me see.\nThat is all.\nStill there.\n']);
      const { host } = new URL(server.url);
      const lines = run.stderr.split('\n').filter((line) => line.startsWith(`${host}: `));
      expect(lines).toEqual([
        expect.stringMatching(/: reconnecting in \d+ ms \(attempt 1 of 5\): /),
        expect.stringMatching(/: ready again \(new session\): /),
      ]);
      expect(run.stderr).toMatch(shown);
      expect(JSON.stringify(claude.bodies()[1]?.messages[2]?.content)).toMatch(told);
      expect(server.messagesOf('tools/call').map(({ params }) => params?.['name'])).toEqual([
        ...calls,
        'look',
      ]);
    } finally {
      await claude.close();
    }
  });

  test('at an idle prompt, many attempts are two lines', async () => {
    await using server = await startServer();
    await using command = await startCli(['chat', server.url], { stdin: 'open' });
    await command.waitFor(/call tools yourself/);
    command.write('look\n');
    await command.waitFor(/look ran/);
    server.mischief.getAnswer = away;
    const dials = server.requests.length;
    server.cut();
    await until(() => expect(server.requests.length - dials).toBeGreaterThan(1));
    delete server.mischief.getAnswer;
    await command.waitFor(/ready again/);
    command.write('look\n');
    await command.waitFor(/look ran[^]*look ran/);
    command.endInput();
    const run = await command.done;
    expect([run.code, run.stdout]).toEqual([0, 'look ran\nlook ran\n']);
    expect(run.stderr.match(/: reconnecting in /g)).toHaveLength(1);
    expect(run.stderr.match(/: ready again /g)).toHaveLength(1);
  });
});
