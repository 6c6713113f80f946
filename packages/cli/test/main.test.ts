import { serve, type Serving } from '@longwire/server';
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandNames } from '../src/commands.ts';
import { createDemoServer } from '../src/demo/server.ts';
import { run } from './run.ts';

let serving: Serving;
let url: string;
beforeAll(async () => {
  serving = await serve({ create: () => createDemoServer() });
  url = serving.sseUrl;
});
afterAll(async () => {
  await serving.close();
});

describe('usage', () => {
  it('longwire alone names every command, on a screen of 24 lines and 80 columns', async () => {
    const { stdout } = await run(['--help']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBeLessThan(24);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    const words = stdout.split(/[^a-z]+/);
    expect(commandNames.filter((name) => !words.includes(name))).toEqual([]);
  });

  it('help options has what every command takes, and the exit codes', async () => {
    const { stdout } = await run(['help', 'options']);
    for (const word of ['--profile', '--env', '130 interrupted']) expect(stdout).toContain(word);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it.each([['--help'], ['--version'], ['help'], ['call', '--help'], ['chat', '--help']])(
    '%s %s: 0, on stdout',
    async (...args) => {
      const { code, stdout, stderr } = await run(args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).not.toBe('');
    },
  );

  it('help explains a command of a command', async () => {
    const { stdout } = await run(['help', 'servers', 'add']);
    expect(stdout).toMatch(/^Usage: longwire servers add/);
  });

  it('help explains each word that a command takes', async () => {
    const { stdout } = await run(['help', 'call']);
    expect(stdout.match(/(?<=^ {2})\S+(?= {2,}(?:URL|its))/gm)).toEqual([
      'target',
      'tool',
      'name=value',
    ]);
  });

  it.each([...commandNames])('%s --help has an example', async (command) => {
    expect((await run([command, '--help'])).stdout).toContain(`$ longwire ${command}`);
  });

  it.each([[], ...commandNames.map((name) => [name])])(
    '%s --help fits 80 columns, but for commands to copy',
    async (...words) => {
      const { stdout } = await run([...words, '--help']);
      const lines = stdout.split('\n').filter((line) => !line.startsWith('  $ '));
      expect(lines.filter((line) => line.length > 80)).toEqual([]);
    },
  );

  it.each<[string[], RegExp]>([
    [[], /Usage: longwire/],
    [['tols'], /unknown command 'tols'\. Did you mean tools\?$/m],
    [['http://h/sse', 'tools'], /the command comes first: longwire tools http:\/\/h\/sse/],
    [['http://h/sse'], /the command comes first: longwire inspect http:\/\/h\/sse/],
    [['npx', '-y', 'server'], /comes after --, as in longwire tools -- npx …/],
    [['tools', 'npx', '-y', 'server'], /comes after --, as in longwire tools -- npx …/],
    [['tools', 'node', 'server.js'], /comes after --, as in longwire tools -- node …/],
    [['tools', './server'], /comes after --, as in longwire tools -- \.\/server …/],
    [['call', 'node', 'server.js', 'echo'], /comes after --, as in longwire call/],
    [
      ['call', 'echo', 'http://h/sse', 'a=1'],
      /before the tool: longwire call http:\/\/h\/sse echo/,
    ],
    [
      ['tools', 'http://h/sse', '--method', 'tools/list'],
      /unknown option '--method'; the first word/,
    ],
    [['call', 'http://h/sse', 'echo', '--tool-arg', 'a=1'], /write arguments as name=value/],
    [['tools', '--timeout'], /^error: option '--timeout <duration>' argument missing; longwire/],
    [['help', 'bogus'], /unknown command 'bogus'/],
    [['tools', 'http://h/sse', '--header', 'X-A: \u0001'], /--header x-a/],
    [
      ['inspect', 'http://h/sse', 'more'],
      /"more" is one word too many; longwire help inspect says/,
    ],
    [['inspect', 'http://h/sse', 'more', '-v'], /there are too many words; longwire help inspect/],
    [['prompts', 'http://h/sse', 'hi'], /to get one: longwire prompt SERVER NAME$/m],
    [['resources', 'http://h/sse', 'hi'], /to read one: longwire read SERVER URI$/m],
    [['servers', 'ls'], /longwire servers lists them$/m],
    [['servers', 'rm', 'it'], /write longwire servers remove NAME$/m],
    [['version'], /write longwire --version$/m],
    [['run'], /FILE is missing; longwire help run says more/],
    [['http://h/sse', 'call', 'echo', 'a=b c'], /longwire call http:\/\/h\/sse echo 'a=b c'$/m],
    [['http://h/sse', 'call', 'echo', '--header', 'X: s3'], /: longwire call http:\/\/h\/sse …$/m],
    [['echo', 'http://h/sse', 'a=1'], /to call a tool: longwire call http:\/\/h\/sse echo …$/m],
    [
      ['call', 'echo', 'a=1', 'http://h/sse'],
      /before the tool: longwire call http:\/\/h\/sse echo/,
    ],
    [['help', 'servers', 'ad'], /unknown command 'ad'\. Did you mean add\?/],
    [['tools', 'bogus'], /or a name that `longwire servers` lists/],
    [['tools', '--bogus'], /unknown option '--bogus'/],
    [['tools'], /MCP_SERVER_URL/],
    [['tools', '127.0.0.1:1'], /write http:\/\/127\.0\.0\.1:1/],
    [['call'], /no tool given/],
    [['call', 'http://h/sse'], /no tool given/],
    [['call', 'localhost:1/sse', 'echo'], /write http:\/\/localhost:1\/sse/],
    [['tools', 'http://h/sse', '--timeout', '3d'], /--timeout/],
    [['tools', 'http://h/sse', '--transport', 'stdio'], /--transport stdio is for a command/],
    [
      ['tools', 'http://h/sse', '--transport', 'http'],
      /use sse, streamable-http, stdio, tool-events/,
    ],
    [['tools', 'http://h/sse', '--transport', 'sse-'], /Did you mean sse\?/],
    [
      ['tools', 'http://h/sse', '--protocol', '2025-11-24'],
      /"2025-11-24" is no version of the protocol: use auto, 2026-07-28, .*Did you mean 2025-11-25/,
    ],
    [['tools', '--transport', 'sse', '--', 'node'], /--transport sse is for a server at a URL/],
    [['tools', '--'], /nothing after --: write the command/],
    [['inspect', '--', ' '], /nothing after --: write the command/],
    [['tools', 'http://h/sse', '--', 'node'], /a URL and a command after -- are two servers/],
    [['call', 'http://h/sse', 'echo', '--', 'node'], /a URL and a command after -- are two/],
    [['watch', 'echo', '--', 'node'], /"echo" is not a server/],
    [['tools', '--header', 'A: b', '--', 'node'], /--header is for a server at a URL/],
    [['chat', '--header', 'A: b', '--', 'node'], /--header is for a server at a URL/],
    [['chat', 'http://h', '--transport', 'stdio', '--', 'node'], /and not for a URL/],
    [['tools', 'http://h/sse', '--env', 'A=b'], /--env is for a command after --/],
    [['tools', 'http://h/sse', '--cwd', '/'], /--cwd is for a command after --/],
    [['tools', '--cwd', '/no/such', '--', 'node'], /--cwd "\/no\/such" is not a directory/],
    [['tools', '--env', 'UNSET', '--', 'node'], /--env UNSET: that is not set/],
    [['call', '--', 'node'], /no tool given/],
    [['demo', '--', 'node'], /a server of its own/],
    [['demo', '--transport', 'stdio'], /--transport stdio is for a command/],
    [['tools', 'http://h/sse', '--header', 'x'], /Name: value/],
    [['tools', 'http://h/sse', '--header', 'Host: x'], /host/],
    [['chat', 'http://h/sse', '-p', 'hi'], /ANTHROPIC_API_KEY/],
    [['chat', 'http://h/sse', '--json'], /-p/],
    [['demo', '--json'], /--json/],
  ])('%j: 2', async (args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect(code).toBe(2);
    if (!args.includes('--json')) expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    if (args.length > 0) expect(stderr.trimEnd()).not.toContain('\n');
  });
});

describe('against a server', () => {
  it('inspect --json is one document of the documented shape', async () => {
    const { code, stdout } = await run(['inspect', url, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      target: url,
      transport: 'sse',
      protocolVersion: '2025-11-25',
      server: expect.objectContaining({ name: 'longwire-demo' }) as unknown,
      capabilities: expect.objectContaining({ tools: expect.anything() as unknown }) as unknown,
      counts: { tools: 7, resources: 2, resourceTemplates: 0, prompts: 1 },
      connectMs: expect.any(Number) as unknown,
    });
  });

  it('--protocol names the version that is spoken, or there is no connection', async () => {
    const { code, stdout } = await run(['inspect', url, '--json', '--protocol', '2025-03-26']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ protocolVersion: '2025-03-26' });
    const none = await run(['tools', url, '--protocol', '2026-07-28']);
    expect(none.code).toBe(3);
    expect(none.stderr).toContain('leave out protocol');
  });

  it('the target may be in the environment, and options before the command', async () => {
    const { code, stdout } = await run(['--json', 'tools'], { env: { MCP_SERVER_URL: url } });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toHaveLength(7);
  });

  it.each(['inspect', 'tools', 'resources', 'prompts'])(
    '%s is for people, too',
    async (command) => {
      const { code, stdout, stderr } = await run([command, url]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout.split('\n').length).toBeGreaterThan(2);
    },
  );

  it('call prints the result', async () => {
    expect(await run(['call', url, 'echo', 'message=hi'])).toEqual({
      code: 0,
      stdout: 'hi\n',
      stderr: '',
    });
  });

  it('call --json prints the result as it came', async () => {
    const { stdout } = await run(['call', url, 'add', '--args', '{"a":1,"b":2}', '--json']);
    expect(JSON.parse(stdout)).toEqual({ content: [{ type: 'text', text: '1 + 2 = 3' }] });
  });

  it('call saves an image and names the file', async () => {
    const { stdout } = await run(['call', url, 'chart', 'values=1,2,3']);
    const path = /saved to (\S+\.png)/.exec(stdout)?.[1] ?? '';
    expect(existsSync(path)).toBe(true);
    expect(readFileSync(path).subarray(1, 4).toString()).toBe('PNG');
  });

  it('call prints structured content once', async () => {
    const { stdout } = await run(['call', url, 'forecast', 'city=Lisbon', 'days=1']);
    expect(JSON.parse(stdout)).toMatchObject({ city: 'Lisbon' });
  });

  it('a tool that reports an error: 1, its words on stdout', async () => {
    const { code, stdout, stderr } = await run(['call', url, 'fail', 'reason=why not']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'why not\n' });
    expect(stderr).toContain('fail reported an error');
  });

  it.each<[string[], RegExp]>([
    [['ecoh'], /Did you mean echo\?/],
    [['echo'], /`message` \(string\) is missing/],
    [['add', 'a=1', 'b=x'], /`b` must be a number/],
    [['add', '--args', '{'], /--args is not valid JSON/],
  ])('call %j: 2', async (words, message) => {
    const { code, stdout, stderr } = await run(['call', url, ...words]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).not.toContain('\n');
  });

  it('--verbose shows progress as lines, --quiet nothing', async () => {
    const args = ['call', url, 'long_task', 'steps=2', 'stepMs=20'];
    expect((await run([...args, '-v'])).stderr).toContain('long_task: 2/2 step 2');
    expect((await run([...args, '-q'])).stderr).toBe('');
  });

  it('what a tool sends reaches no terminal as a control sequence', async () => {
    const message = 'message=a\u001b[31mb\u001b]0;title\u0007c\u009b2Jd';
    expect((await run(['call', url, 'echo', message])).stdout).toBe('abcd\n');
    const { stdout } = await run(['call', url, 'echo', message, '--json']);
    // oxlint-disable-next-line no-control-regex -- it is what must not be there
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    expect(`message=${String(JSON.parse(stdout).content[0].text)}`).toBe(message);
  });

  it('the key is in no output, though a tool echoes it', async () => {
    const key = 'mcp-key-of-this-test';
    const env = { MCP_SERVER_URL: url, MCP_API_KEY: key, ANTHROPIC_API_KEY: 'claude-key-here' };
    const outputs = await Promise.all([
      run(['call', 'echo', `message=is ${key}`, '-v'], { env }),
      run(['call', 'echo', `message=is ${key}`, '--json', '-v'], { env }),
      run(['call', 'fail', `reason=${key} claude-key-here`, '-v'], { env }),
      run(['call', key, '-v'], { env }),
    ]);
    for (const { stdout, stderr } of outputs) {
      expect(stdout + stderr).toContain('***');
      expect(stdout + stderr).not.toMatch(/mcp-key-of-this-test|claude-key-here/);
    }
  });

  it('a session id is in no output', async () => {
    const { stderr } = await run(['tools', url, '-v']);
    expect(stderr).toMatch(/POST \S+=\*\*\*/);
    expect(stderr).not.toMatch(/=[^*\s]/);
  });

  it('a call that is over its --timeout: 5', async () => {
    const args = ['call', url, 'long_task', 'steps=1', 'stepMs=5000', '--timeout', '200ms'];
    const { code, stderr } = await run(args);
    expect(code).toBe(5);
    expect(stderr).toContain('--timeout');
  });

  it('an interrupted call: 130', async () => {
    let interrupt = (): void => undefined;
    // Longer than this test may take, should nothing end it.
    const running = run(['call', url, 'long_task', 'steps=1', 'stepMs=60000'], {
      onInterrupt: (listener) => {
        interrupt = listener;
      },
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    interrupt();
    const { code, stdout } = await running;
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
  });

  it('watch --json prints one line an event until it is interrupted', async () => {
    let interrupt = (): void => undefined;
    const running = run(['watch', url, '--subscribe', 'demo://clock', '--json'], {
      onInterrupt: (listener) => {
        interrupt = listener;
      },
    });
    await new Promise((resolve) => setTimeout(resolve, 1800));
    interrupt();
    const { code, stdout } = await running;
    const events = stdout
      .trimEnd()
      .split('\n')
      .map(
        (line) => JSON.parse(line) as { event: string; state?: { name: string }; method?: string },
      );
    expect(code).toBe(130);
    expect(events.map(({ state, method }) => state?.name ?? method)).toEqual(
      expect.arrayContaining(['connecting', 'ready', 'notifications/resources/updated']),
    );
  });

  it('chat without a key calls tools from a pipe, and leaves with its end', async () => {
    const input = 'echo message="hello there"\n/servers\n/nothing\nadd a=1 b=2\n';
    const { code, stdout, stderr } = await run(['chat', url], { input });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^hello there\n.*sse at .*\n1 \+ 2 = 3\n$/);
    expect(stderr).toContain('ANTHROPIC_API_KEY');
    expect(stderr).toContain('there is no /nothing');
  });
});

describe('where nothing listens', () => {
  it('3, with one line that says so', async () => {
    const { code, stdout, stderr } = await run(['tools', 'http://joe:pw@127.0.0.1:9/sse?t=secret']);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr.trimEnd()).not.toMatch(/\n|joe|pw|secret/);
  });
});

describe('demo', () => {
  it('tours and ends where there is no terminal', async () => {
    const { code, stdout } = await run(['demo']);
    expect(code).toBe(0);
    for (const seen of [
      /transport +sse/,
      /Longwire demo/,
      /stream_stock_prices/,
      /progress 10\/10/,
      /"city": "Lisbon"/,
      /saved to \S+\.png/,
      /This tool always fails/,
      /demo:\/\/about/,
    ]) {
      expect(stdout).toMatch(seen);
    }
  });
});
