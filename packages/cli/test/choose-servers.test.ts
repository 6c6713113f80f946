import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve, type Serving } from '@longwire/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDemoServer } from '../src/demo/server.ts';
import { listenClaude } from './fake-servers.ts';
import { run, type Run } from './run.ts';

let serving: Serving;
let cwd: string;
let home: string;
beforeAll(async () => {
  serving = await serve({ create: () => createDemoServer() });
  home = mkdtempSync(join(tmpdir(), 'longwire-home-'));
  cwd = mkdtempSync(join(tmpdir(), 'longwire-names-'));
  write('longwire.json', {
    servers: {
      demo: { url: serving.sseUrl, timeouts: { connectMs: 5000 } },
      files: { command: 'no-such-program', env: { FILES_TOKEN: 'files-token-1' } },
      keyed: { url: 'http://127.0.0.1:9', headers: { authorization: 'Bearer ${KEYED}' } },
      off: { url: 'http://127.0.0.1:9', disabled: true },
    },
    profiles: { bare: { servers: { files: null, keyed: null } } },
  });
  write('typo.json', {
    servers: {
      demo: { ulr: serving.sseUrl, heders: {} },
      more: { comand: 'x' },
      good: { url: serving.sseUrl },
    },
  });
  write('odd.json', {
    servers: {
      odd: { url: serving.sseUrl, middleware: ['no-such'] },
      demo: { url: serving.sseUrl },
    },
  });
  write('none.json', { servers: {} });
  for (const profile of [[], ['--profile', 'bare']]) {
    expect(await runHere(['servers', 'allow', 'demo', ...profile])).toMatchObject({ code: 0 });
  }
});
afterAll(async () => {
  await serving.close();
  rmSync(home, { recursive: true });
  rmSync(cwd, { recursive: true });
});

function write(name: string, value: object): void {
  writeFileSync(join(cwd, name), JSON.stringify(value, null, 2));
}

/** Runs the command where the files are. */
function runHere(args: string[], env: Record<string, string> = {}, input = ''): Promise<Run> {
  return run(args, { env: { HOME: home, ...env }, cwd, input });
}

describe('wrong usage', () => {
  it.each<[string[], RegExp]>([
    [['tools', 'demmo'], /longwire\.json has no server "demmo"\. Did you mean demo\?/],
    [['tools', 'zzzzzz'], /has no server "zzzzzz"\. There are demo, files, off, keyed\./],
    [['tools', 'zzzzzz', '--config', 'none.json'], /none\.json has no server .*\. It has none\./],
    [['tools', 'off'], /server "off" is disabled in longwire\.json:\d+/],
    [['tools', 'keyed'], /longwire\.json:\d+:\d+: .*server "keyed": the variable KEYED is not set/],
    [['tools'], /no server given: write one of demo, .*keyed of longwire\.json, or a URL/],
    [['tools', '127.0.0.1:1'], /write http:\/\/127\.0\.0\.1:1/],
    [['inspect', 'demo', '--', 'node'], /"demo" and a command after -- are two servers/],
    [['call', '@all', 'echo'], /@all is every server, and this is about one/],
    [['call', 'demo'], /no tool given/],
    [['call', 'demmo', 'echo', '--config', 'longwire.json'], /Did you mean demo\?/],
    [['tools', 'demo', '--env', 'A=b'], /--env is for a command after --/],
    [['tools', 'files', '--env', 'A=b'], /--env is for a command after --/],
    [['tools', 'files', '--header', 'A: b'], /--header is for a server at a URL/],
    [['tools', 'files', '--transport', 'sse'], /--transport sse is for a server at a URL/],
    [['tools', 'http://h', '--config', 'longwire.json'], /--config is for a server that the file/],
    [['tools', 'http://h', '--profile', 'bare'], /--profile is for a server that/],
    [['demo', '--config', 'longwire.json'], /--config is for a server that/],
    [['tools', 'demo', '--profile', 'baer'], /no profile "baer".*did you mean "bare"/],
    [['tools', 'demo', '--config', 'absent.json'], /could not read absent\.json: there is no such/],
    [['tools', 'odd', '--config', 'odd.json'], /odd\.json:\d+: middleware "no-such" of server/],
    [['tools', '@all', '--config', 'none.json'], /none\.json has no server that is not disabled/],
    [['servers', 'status', 'demmo'], /Did you mean demo\?/],
    [['servers', '--', 'node'], /leave out what comes after --/],
    [['servers', 'status', 'demo', '--', 'node'], /leave out what comes after --/],
    [['tools', '@all', '--', 'node'], /leave out what comes after --/],
    [['servers', 'sattus'], /"sattus" is one word too many/],
  ])('%j: 2', async (args, message) => {
    const { code, stdout, stderr } = await runHere(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).not.toContain('\n');
  });

  it('in a file: 2, with a line for each mistake', async () => {
    const { code, stdout, stderr } = await runHere(['tools', 'demo', '--config', 'typo.json']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toEqual([
      'error: typo.json has 2 problems:',
      '  typo.json:4:7: unknown key "ulr" in server "demo": did you mean "url"?',
      '  typo.json:5:7: unknown key "heders" in server "demo": did you mean "headers"?',
    ]);
  });

  it('in one server takes no other along, and is named', async () => {
    const named = await runHere(['call', 'good', 'echo', 'message=hi', '--config', 'typo.json']);
    expect(named).toMatchObject({ code: 0, stdout: 'hi\n' });
    expect(named.stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^demo cannot be used: typo\.json has 2 problems/),
      'more cannot be used: typo.json:8:7: unknown key "comand" in server "more": did you mean "command"?',
    ]);
    const all = await runHere(['tools', '@all', '--config', 'typo.json']);
    expect(all.code).toBe(2);
    expect(all.stdout).toMatch(/^good\n/);
    expect(all.stderr).toMatch(/^error: more: typo\.json:8:7/m);
    expect(all.stderr.match(/comand/g)).toHaveLength(1);
  });

  it('in one server does not keep the others from a conversation', async () => {
    const input = '/call echo message=hi\n';
    const run = await runHere(['chat', '@all', '--config', 'typo.json'], {}, input);
    expect(run).toMatchObject({ code: 0, stdout: 'hi\n' });
    expect(run.stderr).toMatch(/^error: demo: /m);
    const odd = await runHere(['chat', '@all', '--config', 'odd.json'], {}, input);
    expect(odd).toMatchObject({ code: 0, stdout: 'hi\n' });
    expect(odd.stderr).toMatch(/^error: odd: .*middleware "no-such"/m);
    expect((await runHere(['chat', 'odd', 'demo', '--config', 'odd.json'], {}, input)).code).toBe(
      2,
    );
  });

  it.each([[['servers']], [['servers', 'status']], [['tools', '@all']]])(
    '%j where there is no file: 2',
    async (args) => {
      const { code, stderr } = await run(args, { env: { HOME: home } });
      expect(code).toBe(2);
      expect(stderr).toMatch(/there is no longwire\.json here.*: .* --config/);
    },
  );
});

describe('tools that a file leaves out', () => {
  const args = ['--config', 'restricted.json'];
  beforeAll(() => {
    const demo = { url: serving.sseUrl, disabledTools: ['echo'], autoApprove: ['add'] };
    write('restricted.json', {
      mcpServers: { demo, off: { url: serving.sseUrl, enabled: false } },
    });
  });

  it('are not listed, which one remark does not hide', async () => {
    const { code, stdout, stderr } = await runHere(['tools', 'demo', '--json', ...args]);
    expect(code).toBe(0);
    const names = (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name);
    expect(names).toContain('add');
    expect(names).not.toContain('echo');
    expect(stderr).toBe(
      'restricted.json: not used here: "autoApprove" of demo, which lets no call through unasked here\n',
    );
  });

  it('are not called', async () => {
    const run = await runHere(['call', 'demo', 'echo', 'message=hi', ...args]);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toMatch(/echo/);
  });

  it('are not called by a workflow', async () => {
    write('workflow.json', { name: 'w', triggers: [{ on: 'x', call: 'echo' }] });
    const run = await runHere(['run', 'workflow.json', '--server', 'demo', ...args]);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('the server demo has no tool "echo"');
  });

  it('and servers that it switches off are not used', async () => {
    const { code, stderr } = await runHere(['tools', 'off', ...args]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/server "off" is disabled in restricted\.json/);
  });
});

describe('a name', () => {
  it.each(['inspect', 'tools', 'resources', 'prompts'])('is a target of %s', async (command) => {
    const byName = await runHere([command, 'demo', '--json']);
    const { connectMs: _, ...found } = JSON.parse(byName.stdout) as { connectMs?: number };
    expect(byName).toMatchObject({ code: 0, stderr: '' });
    const byUrl = await runHere([command, serving.sseUrl, '--json']);
    expect(JSON.parse(byUrl.stdout)).toMatchObject(found);
  });

  it('is a target of call, where a tool follows', async () => {
    const called = await runHere(['call', 'demo', 'echo', 'message=hi']);
    expect(called).toEqual({ code: 0, stdout: 'hi\n', stderr: '' });
  });

  it('is the name of a tool where none follows', async () => {
    const env = { MCP_SERVER_URL: serving.sseUrl };
    const { stderr } = await runHere(['call', 'files', 'path=x'], env);
    expect(stderr).toMatch(/no tool `?"?files/);
  });

  it('may come from another file and from a profile', async () => {
    write('mcp.json', { mcpServers: { claude: { type: 'http', url: '${DEMO}' } } });
    const args = ['call', 'claude', 'echo', 'message=hi', '--config', 'mcp.json'];
    expect((await runHere(args, { DEMO: serving.sseUrl })).stdout).toBe('hi\n');
    const list = await runHere(['servers', '--json'], { LONGWIRE_PROFILE: 'bare' });
    const names = (JSON.parse(list.stdout) as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(['demo', 'off']);
  });

  it('is what a server is called in a conversation, whose other servers have theirs', async () => {
    const input = '/servers\n/call demo/echo message=named\n';
    const { code, stdout } = await runHere(['chat', 'demo', serving.sseUrl], {}, input);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^demo: Longwire demo/m);
    expect(stdout).toContain(`${new URL(serving.sseUrl).host}: Longwire demo`);
    expect(stdout).toMatch(/\nnamed\n$/);
  });

  it('may be all of them in a conversation', async () => {
    const claude = await listenClaude([{ text: ['yes'] }]);
    const env = { ANTHROPIC_API_KEY: 'claude-key-here', ANTHROPIC_BASE_URL: claude.url };
    const { code, stdout, stderr } = await runHere(['chat', '@all', '-p', 'hi'], env);
    await claude.close();
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'yes\n' });
    expect(stderr).toMatch(/^files is left out: nobody named or allowed it/m);
    expect(stderr).toMatch(/^error: keyed: .*KEYED is not set/m);
    expect(claude.requests[0]).toContain('long_task');
  });
});

describe('@all', () => {
  it('shows each under its name, and leaves out what nobody named', async () => {
    const { code, stdout, stderr } = await runHere(['tools', '@all']);
    expect(code).toBe(2);
    expect(stdout).toMatch(/^demo\ntool +what it does/);
    expect(stderr.trimEnd().split('\n')).toEqual([
      'files is left out: nobody named or allowed it: longwire servers allow files, or --config longwire.json',
      expect.stringMatching(/^error: keyed: longwire\.json:\d+:\d+: .*KEYED is not set/),
    ]);
  });

  it('sends no variable to where nobody named it', async () => {
    const { stderr } = await runHere(['prompts', '@all'], { KEYED: 'keyed-token-1' });
    expect(stderr).toContain('keyed is left out: nobody named or allowed it');
    expect(stderr).not.toContain('cannot connect');
  });

  it('sends no key of a person to where nobody named it', async () => {
    const header = ['--header', 'Authorization: Bearer secret-1'];
    const { code, stderr } = await runHere(['tools', '@all', '--profile', 'bare', ...header]);
    expect(code).toBe(2);
    expect(stderr).toContain('--header authorization would go to servers that nobody named');
  });

  it('--json is one document; of a file that is named, with all its servers', async () => {
    const args = ['inspect', '@all', '--json', '--config', 'longwire.json'];
    const { code, stdout } = await runHere(args, { KEYED: 'keyed-token-1' });
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toEqual([
      { server: 'demo', result: expect.objectContaining({ target: serving.sseUrl }) as unknown },
      {
        server: 'files',
        error: {
          code: 'connect-failed',
          certainty: 'not-sent',
          message: expect.stringContaining('no-such-program') as unknown,
          hint: expect.stringContaining('PATH') as unknown,
        },
      },
      { server: 'keyed', error: expect.objectContaining({ code: 'connect-failed' }) as unknown },
    ]);
  });

  it('says of a file with nothing that can be used what is wrong with it', async () => {
    write('broken.json', { servers: { a: { url: '${NOT_SET}' } } });
    const { code, stderr } = await runHere(['tools', '@all', '--config', 'broken.json']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: a: broken\.json:\d+:\d+: .*NOT_SET is not set/);
  });

  it('done where every one answers: 0', async () => {
    const { code, stderr } = await runHere(['resources', '@all', '--profile', 'bare']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('sends no credentials of --header to several servers', async () => {
    const args = ['tools', '@all', '--header', 'X-Api-Key: x', '--config', 'two.json'];
    write('two.json', {
      servers: { a: { url: serving.sseUrl }, b: { url: 'http://127.0.0.1:9' } },
    });
    const { code, stderr } = await runHere(args);
    expect(code).toBe(2);
    expect(stderr).toContain('would go to 2 different servers');
  });
});

describe('servers', () => {
  it('lists them, without secrets', async () => {
    write('secret.json', {
      servers: {
        a: { url: 'http://joe:pass-word@h/mcp?key=query-key-1' },
        b: { command: 'x', args: ['--token', 'argument-1'] },
      },
    });
    const { code, stdout, stderr } = await runHere(['servers', '--config', 'secret.json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^a +http:\/\/.*h\/mcp\?key=\*\*\* +secret\.json$/m);
    expect(stdout).toMatch(/^b +x --token \*\*\* +secret\.json$/m);
    expect(stdout).not.toMatch(/pass-word|query-key|argument-1/);
  });

  it('lists also what is disabled or cannot be used, with --json too', async () => {
    const { code, stdout } = await runHere(['servers']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^off .* disabled$/m);
    expect(stdout).toMatch(/^keyed .* needs KEYED$/m);
    const { stdout: json } = await runHere(['servers', '--json']);
    const rest = { source: join(cwd, 'longwire.json'), allowed: false, changed: false, needs: [] };
    expect(JSON.parse(json)).toEqual([
      {
        name: 'demo',
        target: serving.sseUrl,
        transport: null,
        ...rest,
        allowed: true,
        disabled: false,
        error: null,
      },
      {
        name: 'files',
        target: 'no-such-program',
        transport: 'stdio',
        ...rest,
        disabled: false,
        error: null,
      },
      {
        name: 'off',
        target: 'http://127.0.0.1:9',
        transport: null,
        ...rest,
        disabled: true,
        error: null,
      },
      {
        name: 'keyed',
        target: null,
        transport: null,
        ...rest,
        needs: ['KEYED'],
        disabled: false,
        error: expect.stringContaining('KEYED is not set') as unknown,
      },
    ]);
  });

  it('status says who is healthy and why another is not', async () => {
    const { code, stdout, stderr } = await runHere([
      'servers',
      'status',
      '--config',
      'longwire.json',
    ]);
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' });
    expect(stdout).toMatch(/^demo +healthy +\d+ ms +sse, longwire-demo /m);
    expect(stdout).toMatch(/^files +down .*no-such-program/m);
    expect(stdout).toMatch(/^keyed +down .*KEYED is not set/m);
    expect(stdout).not.toMatch(/^off/m);
  });

  it('status of those that are named, and without names only of what is allowed', async () => {
    const named = await runHere(['servers', 'status', 'demo', '--json']);
    expect(named).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(named.stdout)).toEqual([
      {
        server: 'demo',
        status: 'healthy',
        transport: 'sse',
        protocolVersion: '2025-11-25',
        latencyMs: expect.any(Number) as unknown,
        serverInfo: { name: 'longwire-demo', version: expect.any(String) as unknown },
      },
    ]);
    const all = await runHere(['servers', 'status', '--json'], { KEYED: 'x' });
    expect(all.code).toBe(0);
    expect(JSON.parse(all.stdout)).toEqual([
      expect.objectContaining({ server: 'demo', status: 'healthy' }),
      {
        server: 'files',
        status: 'skipped',
        reason: expect.stringContaining('allow files') as unknown,
      },
      {
        server: 'keyed',
        status: 'skipped',
        reason: expect.stringContaining('allow keyed') as unknown,
      },
    ]);
  });
});

describe('watch @all', () => {
  it('ends where none is left', async () => {
    write('dead.json', { servers: { dead: { url: 'http://127.0.0.1:9' } } });
    const { code, stderr } = await runHere(['watch', '@all', '--config', 'dead.json']);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^error: dead: cannot connect/);
  });
});
