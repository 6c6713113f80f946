import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve, type Serving } from '@longwire/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type ScriptedClaude,
  startScriptedClaude,
} from '../../packages/agent/test/support/scripted-claude.ts';
import {
  countBreakpoints,
  type MessagesRequest,
  type WireBlock,
} from '../../packages/agent/test/support/valid-conversation.ts';
import { createDemoServer } from '../../packages/cli/src/demo/server.ts';
import { connectOfficial } from '../interop/support/official-client.ts';
import { startObservedServer } from '../interop/support/observed-server.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { type Peer, startEverything } from '../support/peers.ts';
import { type CliRun, runCli, startCli } from '../support/run-cli.ts';
import { until } from '../support/until.ts';
import { removeFolder } from '../support/remove-folder.ts';

expectNothingLeftOpen();

const anthropicKey = 'sk-ant-key-of-the-chat-test';
const mcpKey = 'mcp-key-of-the-chat-test';

interface Listed {
  name: string;
  inputSchema: unknown;
}

let everything: Peer;
let demo: Serving;
/** The tools of the two, as they were sent. */
let demoTools: Listed[];
let everythingTools: Listed[];
/** The image of server-everything, in Base64. */
let tinyImage: string;

beforeAll(async () => {
  demo = await serve({ create: () => createDemoServer() });
  everything = await startEverything({ mode: 'sse' });
  {
    await using own = await serve({ create: () => createDemoServer() });
    await using official = await connectOfficial(own.sseUrl);
    demoTools = (await official.raw('tools/list'))['tools'] as Listed[];
  }
  await using official = await connectOfficial(everything.url);
  everythingTools = (await official.raw('tools/list'))['tools'] as Listed[];
  const { content } = await official.raw('tools/call', { name: 'get-tiny-image', arguments: {} });
  const blocks = content as { type: string; data?: string }[];
  tinyImage = blocks.find(({ type }) => type === 'image')?.data ?? '';
});
afterAll(async () => {
  await Promise.all([everything.stop(), demo.close()]);
});

interface Scripted extends ScriptedClaude, AsyncDisposable {
  /** What connects the command to it. */
  env: Record<string, string>;
}

/** A scripted Claude; at the end every request is checked to be one that the API takes. */
async function scripted(script: Parameters<typeof startScriptedClaude>[0]): Promise<Scripted> {
  const claude = await startScriptedClaude(script);
  return {
    ...claude,
    env: { ANTHROPIC_BASE_URL: claude.url, ANTHROPIC_API_KEY: anthropicKey },
    [Symbol.asyncDispose]: async () => {
      await claude.close();
      claude.bodies();
    },
  };
}

/** The blocks of one message of a request. */
function blocksOf(body: MessagesRequest | undefined, message: number): WireBlock[] {
  const content = body?.messages[message]?.content ?? [];
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

/** The text of a tool result. */
function textOf({ content = '' }: WireBlock): string {
  if (typeof content === 'string') return content;
  return content.map(({ text = '' }) => text).join('\n');
}

/** What the tools of a request are, by name, without the cache breakpoints. */
function schemasOf({ tools = [] }: MessagesRequest): Record<string, unknown> {
  return Object.fromEntries(tools.map(({ name, input_schema: schema }) => [name, schema]));
}

/** The name under which a tool is offered where there are several servers: by host and port. */
function nameOf(tools: string[], { url }: { url: string }, tool: string): string {
  const server = new URL(url).host.replaceAll(/[.:]/g, '_');
  const name = `${server}__${tool}`;
  if (!tools.includes(name)) throw new Error(`${name} is not among ${tools.join(', ')}`);
  return name;
}

function expectKeysKept({ stdout, stderr }: CliRun): void {
  expect(stdout + stderr).not.toContain(anthropicKey);
  expect(stdout + stderr).not.toContain(mcpKey);
}

describe('one question', () => {
  test('takes as many rounds as it takes, with tools of two servers', async () => {
    await using claude = await scripted([
      (tools) => ({
        text: 'Let me see.',
        calls: [
          { id: 'toolu_echo', name: nameOf(tools, demo, 'echo'), arguments: { message: 'hé' } },
          {
            id: 'toolu_sum',
            name: nameOf(tools, everything, 'get-sum'),
            arguments: { a: 1, b: 2 },
          },
        ],
      }),
      (tools) => ({
        calls: [
          { id: 'toolu_image', name: nameOf(tools, everything, 'get-tiny-image') },
          {
            id: 'toolu_fail',
            name: nameOf(tools, demo, 'fail'),
            arguments: { reason: 'no tea' },
          },
          {
            id: 'toolu_task',
            name: nameOf(tools, demo, 'long_task'),
            arguments: { steps: 2, stepMs: 10 },
          },
        ],
      }),
      { text: 'All of it is done.' },
    ]);
    const env = { ...claude.env, MCP_SERVER_URL: demo.sseUrl, MCP_API_KEY: mcpKey };
    const args = ['chat', demo.sseUrl, everything.url, '-p', 'Do it all', '--yes', '--verbose'];
    const run = await runCli(args, { env });

    expect([run.code, run.stdout]).toEqual([0, 'Let me see.\nAll of it is done.\n']);
    const { host } = new URL(demo.sseUrl);
    expect(run.stderr).toContain(`→ ${host}/echo {"message":"hé"}`);
    expect(run.stderr).toContain(`✓ ${host}/echo: hé`);
    expect(run.stderr).toContain(`${host}/long_task: 2/2 step 2`);
    expect(run.stderr).toContain(`✗ ${host}/fail: no tea`);
    expect(run.stderr).toMatch(/ saved to \S+\.png$/m);
    expectKeysKept(run);

    const bodies = claude.bodies();
    expect(bodies.map(({ messages }) => messages.length)).toEqual([1, 3, 5]);
    expect(bodies.every(({ stream }) => stream === true)).toBe(true);
    const [first, second, third] = bodies;
    expect(blocksOf(first, 0)).toMatchObject([{ type: 'text', text: 'Do it all' }]);

    expect(blocksOf(second, 1)).toMatchObject([
      { type: 'text', text: 'Let me see.' },
      { type: 'tool_use', id: 'toolu_echo', input: { message: 'hé' } },
      { type: 'tool_use', id: 'toolu_sum', input: { a: 1, b: 2 } },
    ]);
    const [echoed, summed, ...others] = blocksOf(second, 2);
    expect([echoed?.tool_use_id, summed?.tool_use_id]).toEqual(['toolu_echo', 'toolu_sum']);
    expect(textOf(echoed as WireBlock)).toBe('hé');
    expect(textOf(summed as WireBlock)).toContain('3');
    expect(others).toEqual([]);

    const [image, failed, worked] = blocksOf(third, 4);
    expect(image?.content).toContainEqual({
      type: 'image',
      source: { type: 'base64', media_type: 'image/png', data: tinyImage },
    });
    expect(failed).toMatchObject({ tool_use_id: 'toolu_fail', is_error: true });
    expect(textOf(failed as WireBlock)).toBe('no tea');
    expect(worked?.is_error ?? false).toBe(false);
    expect(textOf(worked as WireBlock)).toBe('Done: 2 steps of 10 ms.');

    // A key goes to whom it is for.
    const sent = JSON.stringify(claude.proxy.requests.map(({ headers, text }) => [headers, text]));
    expect(sent).toContain(anthropicKey);
    expect(sent).not.toContain(mcpKey);
  });

  test('offers every tool with its own schema, under names of its own', async () => {
    await using claude = await scripted([{ text: 'Nothing to do.' }]);
    const args = ['chat', demo.sseUrl, everything.url, '-p', 'Hi'];
    expect(await runCli(args, { env: claude.env })).toMatchObject({ code: 0, stderr: '' });
    const [body] = claude.bodies() as [MessagesRequest];
    const names = Object.keys(schemasOf(body));
    const expected = [
      ...demoTools.map(({ name, inputSchema }) => [nameOf(names, demo, name), inputSchema]),
      ...everythingTools.map(({ name, inputSchema }) => [
        nameOf(names, everything, name),
        inputSchema,
      ]),
    ];
    // It has one tool more for whoever can be asked something.
    const asking = nameOf(names, everything, 'trigger-elicitation-request');
    expect(names).toHaveLength(demoTools.length + everythingTools.length + 1);
    const { [asking]: _, ...others } = schemasOf(body);
    expect(others).toEqual(Object.fromEntries(expected));
  });

  test('passes enums, defaults and anyOf on as they are', async () => {
    await using observed = await startObservedServer();
    await using own = await startObservedServer();
    await using official = await connectOfficial(own.url);
    const tools = (await official.raw('tools/list'))['tools'] as Listed[];
    const order = tools.find(({ name }) => name === 'order')?.inputSchema;
    expect(JSON.stringify(order)).toMatch(/"default".*"enum".*"anyOf"/);

    await using claude = await scripted([{ text: 'Nothing to do.' }]);
    await runCli(['chat', observed.url, '-p', 'Hi'], { env: claude.env });
    const [body] = claude.bodies() as [MessagesRequest];
    expect(schemasOf(body)).toEqual(
      Object.fromEntries(tools.map(({ name, inputSchema }) => [name, inputSchema])),
    );
  });

  test('two calls of one turn run side by side', async () => {
    await using observed = await startObservedServer();
    await using claude = await scripted([
      {
        calls: [
          { id: 'toolu_a', name: 'meet', arguments: { name: 'Ann', of: 2 } },
          { id: 'toolu_b', name: 'meet', arguments: { name: 'Bob', of: 2 } },
        ],
      },
      { text: 'They met.' },
    ]);
    const run = await runCli(['chat', observed.url, '-p', 'Meet', '--yes'], { env: claude.env });
    expect([run.code, run.stdout]).toEqual([0, 'They met.\n']);
    expect(blocksOf(claude.bodies()[1], 2).map(textOf)).toEqual(['Ann met 2', 'Bob met 2']);
    await until(() => expect(observed.openSessions()).toBe(0));
  });

  test('--json prints one document', async () => {
    await using claude = await scripted([
      { calls: [{ id: 'toolu_1', name: 'add', arguments: { a: 2, b: 3 } }] },
      { text: 'It is 5.' },
    ]);
    const args = ['chat', demo.sseUrl, '-p', 'What is 2 + 3?', '--json', '--trust', demo.sseUrl];
    const { code, stdout } = await runCli(args, { env: claude.env });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      answer: 'It is 5.',
      reason: 'end-turn',
      calls: [{ tool: 'add', arguments: { a: 2, b: 3 }, isError: false, refused: false }],
    });
  });

  test('what Claude and its tools say reaches no terminal as a control sequence', async () => {
    await using claude = await scripted([
      { calls: [{ id: 'toolu_1', name: 'echo', arguments: { message: 'a\u001b[2Jb\u009b2Jc' } }] },
      { text: 'red \u001b[31mtea\u001b]0;title\u0007 \u009b2Jis ready' },
    ]);
    const args = ['chat', demo.sseUrl, '-p', 'Say it', '--verbose', '--yes'];
    const { code, stdout, stderr } = await runCli(args, { env: claude.env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^red .*tea.*is ready\n$/);
    // oxlint-disable-next-line no-control-regex -- it is what must not be there
    expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });
});

describe('cache breakpoints', () => {
  test('are on the tools and on the newest messages of every request', async () => {
    await using claude = await scripted([
      { calls: [{ id: 'toolu_1', name: 'echo', arguments: { message: 'a' } }] },
      { calls: [{ id: 'toolu_2', name: 'echo', arguments: { message: 'b' } }] },
      { text: 'Done.' },
    ]);
    expect(
      (await runCli(['chat', demo.sseUrl, '-p', 'Twice', '--yes'], { env: claude.env })).code,
    ).toBe(0);
    const bodies = claude.bodies();
    expect(bodies).toHaveLength(3);
    for (const body of bodies) {
      expect(body.tools?.at(-1)?.cache_control).toEqual({ type: 'ephemeral' });
      const last = blocksOf(body, body.messages.length - 1);
      expect(last.at(-1)?.cache_control).toEqual({ type: 'ephemeral' });
      expect(countBreakpoints(body)).toBeLessThanOrEqual(4);
    }
  });
});

describe('a conversation from a pipe', () => {
  test('is one conversation: the second turn sees the first', async () => {
    await using claude = await scripted([
      { calls: [{ id: 'toolu_1', name: 'add', arguments: { a: 1, b: 2 } }] },
      { text: 'It is three.' },
      { text: 'I said three.' },
    ]);
    const run = await runCli(['chat', demo.sseUrl, '--trust', new URL(demo.sseUrl).host], {
      env: claude.env,
      stdin: { text: 'What is 1 + 2?\nWhat did you say?\n' },
    });
    expect([run.code, run.stdout]).toEqual([0, 'It is three.\nI said three.\n']);
    const last = claude.bodies()[2];
    expect(last?.messages.map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'user',
      'assistant',
      'user',
    ]);
    expect(blocksOf(last, 0)).toMatchObject([{ text: 'What is 1 + 2?' }]);
    expect(blocksOf(last, 2)).toMatchObject([{ type: 'tool_result', tool_use_id: 'toolu_1' }]);
    expect(blocksOf(last, 3)).toMatchObject([{ text: 'It is three.' }]);
    expect(blocksOf(last, 4)).toMatchObject([{ text: 'What did you say?' }]);
  });

  const leaving = ['/quit', 'exit', 'quit'];
  test.each(leaving)(
    'starts anew with /reset, calls tools with /call, leaves with %s',
    async (word) => {
      await using claude = await scripted([{ text: 'First.' }, { text: 'Second.' }]);
      const run = await runCli(['chat', demo.sseUrl], {
        env: claude.env,
        stdin: { text: `One\n/reset\n/call add a=1 b=2\nTwo\n${word}\nNever\n` },
      });
      expect([run.code, run.stdout]).toEqual([0, 'First.\n1 + 2 = 3\nSecond.\n']);
      const bodies = claude.bodies();
      expect(bodies).toHaveLength(2);
      expect(bodies[1]?.messages).toHaveLength(1);
    },
  );
});

describe('a tool that may change things', () => {
  const script = [
    { calls: [{ id: 'toolu_1', name: 'write', arguments: { text: 'tea' } }] },
    { text: 'Done.' },
  ];

  test('is refused without --yes where nobody can be asked', async () => {
    await using observed = await startObservedServer();
    await using claude = await scripted(script);
    const { code, stdout, stderr } = await runCli(['chat', observed.url, '-p', 'Write it'], {
      env: claude.env,
    });
    expect([code, stdout]).toEqual([0, 'Done.\n']);
    expect(stderr).toMatch(/write was not allowed/);
    expect(stderr).toContain('--yes');
    expect(blocksOf(claude.bodies()[1], 2)).toMatchObject([
      { type: 'tool_result', tool_use_id: 'toolu_1', is_error: true },
    ]);
    expect(observed.calls).toEqual([]);
  });

  test('is called with --yes', async () => {
    await using observed = await startObservedServer();
    await using claude = await scripted(script);
    const { code } = await runCli(['chat', observed.url, '-p', 'Write it', '--yes'], {
      env: claude.env,
    });
    expect(code).toBe(0);
    const [result] = blocksOf(claude.bodies()[1], 2);
    expect(textOf(result as WireBlock)).toBe('wrote tea');
    expect(result?.is_error ?? false).toBe(false);
    expect(observed.calls).toEqual([{ tool: 'write', args: { text: 'tea' } }]);
  });
});

describe('a tool of which its server says that it only reads', () => {
  const script = [
    { calls: [{ id: 'toolu_1', name: 'add', arguments: { a: 1, b: 2 } }] },
    { text: 'Done.' },
  ];
  const isCallRefused = async (
    args: string[],
    { cwd, env }: { cwd?: string; env?: Record<string, string> } = {},
  ): Promise<unknown> => {
    await using claude = await scripted(script);
    const options = { env: { ...claude.env, ...env }, ...(cwd !== undefined && { cwd }) };
    const run = await runCli(['chat', ...args, '-p', 'Add', '--json'], options);
    expect(run.code, run.stderr).toBe(0);
    return (JSON.parse(run.stdout) as { calls: { refused: boolean }[] }).calls[0]?.refused;
  };

  test('is called unasked only if the server is trusted', async () => {
    expect(await isCallRefused([demo.sseUrl])).toBe(true);
    expect(await isCallRefused([demo.sseUrl, '--trust', demo.sseUrl])).toBe(false);
  });

  const override = { add: { annotations: { readOnlyHint: true } } };
  test.each<[object, string[], boolean]>([
    [{ trusted: true }, ['it'], false],
    [{ trusted: true }, ['@all', '--config', 'longwire.json'], false],
    [{ trusted: true }, ['@all'], false],
    [{}, ['@all'], true],
    [{ tools: { override } }, ['it'], false],
    [{ tools: { override } }, ['@all'], false],
  ])(
    'a file of which it is allowed says %j, chat %j: refused is %j',
    async (server, args, isRefused) => {
      const cwd = await mkdtemp(join(tmpdir(), 'longwire-trust-'));
      const file = { servers: { it: { url: demo.sseUrl, ...server } } };
      await writeFile(join(cwd, 'longwire.json'), JSON.stringify(file));
      const env = { XDG_STATE_HOME: cwd, XDG_CONFIG_HOME: cwd };
      await runCli(['servers', 'allow', 'it'], { cwd, env });
      expect(await isCallRefused(args, { cwd, env })).toBe(isRefused);
      await removeFolder(cwd);
    },
  );

  test('--trust names a server of the chat: 2', async () => {
    await using claude = await scripted([]);
    const run = await runCli(['chat', demo.sseUrl, '--trust', 'nobody'], { env: claude.env });
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/--trust "nobody" is none of the servers of this chat/);
  });
});

describe('what goes wrong', () => {
  test('a wrong key: 4, and it says which', async () => {
    await using claude = await scripted([]);
    const error = { type: 'authentication_error', message: `invalid key ${anthropicKey}` };
    claude.proxy.next({ type: 'answer', status: 401, body: { type: 'error', error } });
    const run = await runCli(['chat', demo.sseUrl, '-p', 'Hi', '--verbose'], { env: claude.env });
    expect([run.code, run.stdout]).toEqual([4, '']);
    expect(run.stderr).toMatch(/^error: .*ANTHROPIC_API_KEY.*401.*check the key$/m);
    expectKeysKept(run);
    expect(JSON.stringify(claude.proxy.requests[0]?.headers)).toContain(anthropicKey);
  });

  test('a server that is not there: 3, and Claude is not asked', async () => {
    await using claude = await scripted([]);
    const args = ['chat', demo.sseUrl, 'http://127.0.0.1:9/sse', '-p', 'Hi'];
    const { code, stdout, stderr } = await runCli(args, { env: claude.env });
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr.trimEnd()).toMatch(/^error: .*127\.0\.0\.1:9.*$/);
    expect(claude.proxy.requests).toEqual([]);
  });

  test('Ctrl-C while a tool runs: 130, and its server is told', async () => {
    await using observed = await startObservedServer();
    await using claude = await scripted([{ calls: [{ id: 'toolu_1', name: 'wait' }] }]);
    await using command = await startCli(['chat', observed.url, '-p', 'Wait', '--yes'], {
      env: claude.env,
    });
    await until(() => expect(observed.calls).toHaveLength(1));
    command.kill('SIGINT');
    const { code, stdout } = await command.done;
    expect([code, stdout]).toEqual([130, '']);
    // What the client said, and not that its connection closed.
    await until(() =>
      expect(observed.calls).toEqual([
        { tool: 'wait', args: {}, cancelled: expect.stringContaining('abort') as unknown },
      ]),
    );
    await until(() => expect(observed.openSessions()).toBe(0));
  });

  test('Ctrl-C in a conversation stops the turn and its call, and the next turn works', async () => {
    await using observed = await startObservedServer();
    await using claude = await scripted([
      { calls: [{ id: 'toolu_1', name: 'wait' }] },
      { text: 'Fine.' },
    ]);
    const options = { env: claude.env, stdin: 'open' } as const;
    await using command = await startCli(['chat', observed.url, '--yes'], options);
    command.write('Wait for it\n');
    await until(() => expect(observed.calls).toHaveLength(1));
    command.kill('SIGINT');
    await command.waitFor(/Stopped\./);
    command.write('And now?\n');
    await command.waitFor(/Fine\./);
    command.endInput();
    expect(await command.done).toMatchObject({ code: 0, stdout: 'Fine.\n' });
    expect(observed.calls).toMatchObject([{ cancelled: expect.stringContaining('abort') }]);
    expect(JSON.stringify(claude.bodies()[1]?.messages)).toContain('And now?');
  });
});
