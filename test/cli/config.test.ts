import { existsSync, realpathSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startHostileSse, type HostileSseServer } from '../support/hostile-sse.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { runCli, startCli } from '../support/run-cli.ts';
import { everything } from './support/servers.ts';

expectNothingLeftOpen();

const token = 'token-of-the-configuration-1';

let cwd: string;
let server: HostileSseServer;
beforeEach(async () => {
  cwd = realpathSync(await mkdtemp(join(tmpdir(), 'longwire-')));
  server = await startHostileSse();
});
afterEach(async () => {
  await server.close();
  await rm(cwd, { recursive: true });
});

/** Writes a file of the working directory. */
async function write(name: string, content: object | string): Promise<void> {
  const text = typeof content === 'string' ? content : JSON.stringify(content, null, 2);
  await writeFile(join(cwd, name), text);
}

/** A command that leaves a file behind when it is started. */
function trap(): { target: { command: string; args: string[] }; wasStarted: () => boolean } {
  const path = join(cwd, 'started');
  const args = ['-e', `require('fs').writeFileSync(${JSON.stringify(path)}, '')`];
  return { target: { command: process.execPath, args }, wasStarted: () => existsSync(path) };
}

/** What the server was sent under the name of a header. */
function sent(name: string): unknown[] {
  return [...new Set(server.requests.map(({ headers }) => headers[name]))];
}

describe('a server that longwire.json names', () => {
  test('is sent its headers, whose secrets are in no output', async () => {
    await write('longwire.json', {
      servers: {
        market: {
          url: `${server.url}?key=\${KEY}`,
          headers: { Authorization: 'Bearer ${TOKEN}', 'X-Tenant': '${TENANT:-none}' },
        },
      },
    });
    const env = { TOKEN: token, KEY: 'key-of-the-query-1' };
    const run = await runCli(['inspect', 'market', '--verbose'], { cwd, env });
    expect(run.code, run.stderr).toBe(0);
    expect(sent('authorization')).toEqual([`Bearer ${token}`]);
    expect(sent('x-tenant')).toEqual(['none']);
    expect(run.stdout + run.stderr).not.toMatch(/token-of-the-configuration|key-of-the-query/);
    await runCli(['tools', 'market', '--header', 'X-TENANT: mine'], { cwd, env });
    expect(sent('x-tenant')).toEqual(['none', 'mine']);
  });

  test('lacks a variable: 2, and nothing is sent', async () => {
    const headers = { authorization: 'Bearer ${TOKEN}' };
    await write('longwire.json', { servers: { market: { url: server.url, headers } } });
    for (const env of [{}, { TOKEN: '' }]) {
      const { code, stdout, stderr } = await runCli(['tools', 'market'], { cwd, env });
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(
        /^error: longwire\.json:6:26: "headers\.authorization" of server "market": the variable TOKEN is /,
      );
    }
    expect(server.requests).toEqual([]);
  });

  test('is refused: 4, with what to check', async () => {
    await using refusing = await startHostileSse({
      requiredHeaders: { authorization: 'Bearer right' },
    });
    const headers = { authorization: `Bearer ${token}` };
    await write('longwire.json', { servers: { it: { url: refusing.url, headers } } });
    const { code, stderr } = await runCli(['tools', 'it'], { cwd });
    expect(code).toBe(4);
    expect(stderr).toMatch(/the credentials of the configuration were sent: check them\n$/);
  });

  test('is another in another profile', async () => {
    await write('longwire.json', {
      servers: { it: { url: 'http://127.0.0.1:9' } },
      profiles: { staging: { servers: { it: { url: server.url } } } },
    });
    expect((await runCli(['tools', 'it'], { cwd })).code).toBe(3);
    expect((await runCli(['tools', 'it', '--profile', 'staging'], { cwd })).code).toBe(0);
    const env = { LONGWIRE_PROFILE: 'staging' };
    expect((await runCli(['tools', 'it'], { cwd, env })).code).toBe(0);
  });

  test('is a command, which is started with its variables', async () => {
    await write('longwire.json', {
      servers: {
        it: {
          command: process.execPath,
          args: [everything, 'stdio'],
          env: { FROM_FILE: '${HERE}' },
        },
      },
    });
    const args = ['call', 'it', 'get-env', '--args', '{}', '--json'];
    const run = await runCli(args, { cwd, env: { HERE: 'yes', NOT_THERE: 'secret' } });
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toContain('FROM_FILE');
    expect(run.stdout).not.toContain('NOT_THERE');
  });
});

describe('the .env beside the file', () => {
  test('has its variables, which never override what is set', async () => {
    const headers = { 'x-one': '${ONE}', 'x-two': '${TWO}' };
    await write('longwire.json', { servers: { it: { url: server.url, headers } } });
    await write('.env', 'ONE=of the file\nTWO=of the file\n');
    expect((await runCli(['tools', 'it'], { cwd, env: { TWO: 'set' } })).code).toBe(0);
    expect([sent('x-one'), sent('x-two')]).toEqual([['of the file'], ['set']]);
  });

  test('is not that of the working directory, which may be of somebody else', async () => {
    await mkdir(join(cwd, 'home'));
    const headers = { authorization: 'Bearer ${TOKEN}' };
    const servers = { it: { url: '${IT_URL:-http://127.0.0.1:9}', headers } };
    await write('home/longwire.json', { servers });
    await write('.env', `IT_URL=${server.url}\n`);
    const args = ['tools', 'it', '--config', 'home/longwire.json'];
    expect((await runCli(args, { cwd, env: { TOKEN: token } })).code).toBe(3);
    expect(server.requests).toEqual([]);
  });
});

describe('a file that lies in the working directory', () => {
  test('has no command started and no variable sent by @all', async () => {
    const { target, wasStarted } = trap();
    const headers = { authorization: 'Bearer ${TOKEN}' };
    await write('longwire.json', {
      servers: { evil: target, thief: { url: server.url, headers } },
    });
    const env = { TOKEN: token };
    for (const args of [
      ['tools', '@all'],
      ['servers', 'status'],
      ['watch', '@all'],
    ]) {
      expect((await runCli(args, { cwd, env })).code).toBe(2);
    }
    expect((await runCli(['servers'], { cwd, env })).code).toBe(0);
    expect(wasStarted()).toBe(false);
    expect(server.requests).toEqual([]);
  });

  test('cannot make the name of a tool mean a command', async () => {
    const { target, wasStarted } = trap();
    await write('longwire.json', { servers: { echo: target } });
    const env = { MCP_SERVER_URL: server.url };
    for (const args of [
      ['call', 'echo', 'message=hi'],
      ['call', 'echo', '--args', '{}'],
    ]) {
      await runCli(args, { cwd, env });
      expect(wasStarted()).toBe(false);
    }
    expect(server.requests).not.toEqual([]);
  });

  test('starts its command where it is named', async () => {
    const { target, wasStarted } = trap();
    await write('longwire.json', { servers: { it: target } });
    expect((await runCli(['tools', 'it'], { cwd })).code).toBe(3);
    expect(wasStarted()).toBe(true);
  });

  test('starts its commands by @all where it is named', async () => {
    const { target, wasStarted } = trap();
    await write('longwire.json', { servers: { it: target } });
    const args = ['servers', 'status', '--config', 'longwire.json', '--json'];
    const { stdout } = await runCli(args, { cwd });
    expect(JSON.parse(stdout)).toMatchObject([{ server: 'it', status: 'down' }]);
    expect(wasStarted()).toBe(true);
  });
});

describe('the file of another program', () => {
  test.for([
    ['Claude Code', '.mcp.json', { mcpServers: { it: { type: 'sse', url: '${URL}' } } }],
    ['Cursor', 'cursor.json', { mcpServers: { it: { url: '${env:URL}' } } }],
    [
      'VS Code',
      'mcp.json',
      { inputs: [], servers: { it: { type: 'http', url: '${env:URL}' }, b: { command: 'x' } } },
    ],
  ] as const)('%s is read as it is', async ([, name, content]) => {
    await write(name, content);
    const args = ['tools', 'it', '--config', name];
    const run = await runCli(args, { cwd, env: { URL: server.url } });
    expect([run.code, run.stderr]).toEqual([0, '']);
  });
});

describe('every server', () => {
  test('is watched, each line under its name; one that is dead does not affect the others', async () => {
    await write('all.json', {
      servers: { one: { url: server.url }, dead: { url: 'http://127.0.0.1:9/mcp' } },
    });
    const args = ['watch', '@all', '--config', 'all.json', '--json'];
    await using cli = await startCli(args, { cwd });
    await cli.waitFor(/one: Watching/);
    await cli.waitFor(/error: dead: cannot connect/);
    server.push({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
    await cli.waitFor(/list_changed/);
    cli.kill('SIGINT');
    const { code, stdout } = await cli.done;
    expect(code).toBe(130);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { server: string; method?: string });
    expect(events).toContainEqual(
      expect.objectContaining({ server: 'one', method: 'notifications/tools/list_changed' }),
    );
    expect(new Set(events.map(({ server }) => server))).toEqual(new Set(['one', 'dead']));
  });

  test('is asked at once, and ends with Ctrl-C', async () => {
    await using silent = await startHostileSse({ hangOn: 'tools/list' });
    await write('all.json', { servers: { a: { url: server.url }, b: { url: silent.url } } });
    const args = ['tools', '@all', '--config', 'all.json', '--verbose'];
    await using cli = await startCli(args, { cwd });
    await cli.waitFor(/b: ready/);
    cli.kill('SIGINT');
    const { code, stdout } = await cli.done;
    expect([code, stdout]).toEqual([130, '']);
  });
});
