import { realpathSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startHostileSse } from '../support/hostile-sse.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { runCli } from '../support/run-cli.ts';
import { complaintOf } from './support/keyed-run.ts';
import { command, everything, modernServer, ownServer } from './support/servers.ts';
import { removeFolder } from '../support/remove-folder.ts';

expectNothingLeftOpen();

const server = command(everything, 'stdio');
let directory: string;
beforeAll(async () => {
  directory = realpathSync(await mkdtemp(join(tmpdir(), 'longwire-')));
});
afterAll(() => removeFolder(directory));

describe('a command after --', () => {
  test('is inspected', async () => {
    const run = await runCli(['inspect', '--json', ...server]);
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect(JSON.parse(run.stdout)).toEqual({
      target: `${process.execPath} ${everything} stdio`,
      transport: 'stdio',
      protocolVersion: '2025-11-25',
      server: expect.objectContaining({ name: 'mcp-servers/everything' }),
      capabilities: expect.objectContaining({ tools: expect.anything() }),
      counts: { tools: 13, resources: 7, resourceTemplates: 2, prompts: 4 },
      connectMs: expect.toSatisfy(Number.isInteger),
    });
  });

  test('may speak protocol 2026-07-28 and no other', async () => {
    const target = command(modernServer);
    const { stdout } = await runCli(['inspect', ...target]);
    expect(stdout).toMatch(/^transport +stdio$/m);
    expect(stdout).toMatch(/^protocol +2026-07-28$/m);
    const run = await runCli(['call', 'greet', '--transport', 'stdio', ...target]);
    expect(run).toMatchObject({ code: 0, stdout: 'hello from 2026\n', stderr: '' });
  });

  test.for([
    ['tools', /^echo /m],
    ['resources', /^demo:\/\/resource\/static\/document\/features\.md /m],
    ['prompts', /^args-prompt /m],
  ] as const)('%s lists what it has', async ([name, expected]) => {
    const run = await runCli([name, ...server]);
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect(run.stdout).toMatch(expected);
  });

  test('is called', async () => {
    const run = await runCli(['call', 'echo', 'message=hi', ...server]);
    expect(run).toMatchObject({ code: 0, stdout: 'Echo: hi\n', stderr: '' });
  });

  test('keeps its words to itself, options and a second -- included', async () => {
    const words = ['--json', '--version', '--header', '--', 'http://127.0.0.1:9', 'a b'];
    const run = await runCli(['call', 'process', ...command(ownServer, ...words)]);
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect(JSON.parse(run.stdout)).toMatchObject({ args: words });
  });

  test('goes before MCP_SERVER_URL, to which nothing is sent', async () => {
    await using other = await startHostileSse();
    const env = { MCP_SERVER_URL: other.url };
    const { code, stdout } = await runCli(['call', 'echo', 'message=hi', ...server], { env });
    expect([code, stdout]).toEqual([0, 'Echo: hi\n']);
    expect(other.requests).toEqual([]);
  });

  test('chats beside a URL', async () => {
    await using other = await startHostileSse();
    const stdin = { text: '/servers\n/call node/process\necho message=hi\n' };
    const run = await runCli(['chat', other.url, ...command(ownServer)], { stdin });
    expect(run.code, run.stderr).toBe(0);
    const { host } = new URL(other.url);
    const [first, second, third, fourth] = run.stdout.split('\n');
    expect(first).toMatch(`${host}: `);
    expect(second).toMatch(/^node: of-the-tests 1, stdio with .*stdio-server\.mjs, protocol 2025-/);
    expect(JSON.parse(third ?? '')).toMatchObject({ args: [] });
    expect(fourth).toBe('hi');
  });
});

describe('its environment', () => {
  const env = { MCP_API_KEY: 'a-key-for-nobody', GIVEN_TOKEN: 'value-of-the-test', OTHER: 'other' };

  async function environmentOf(args: string[]): Promise<Record<string, string>> {
    const { code, stdout, stderr } = await runCli(['call', 'get-env', ...args, ...server], { env });
    expect([code, stderr]).toEqual([0, '']);
    return JSON.parse(stdout) as Record<string, string>;
  }

  test('is what every program needs', async () => {
    const environment = await environmentOf([]);
    expect(environment['PATH']).toBe(process.env['PATH']);
    for (const name of Object.keys(env)) expect(environment).not.toHaveProperty(name);
  });

  test('has what --env says, and of MCP_API_KEY nothing else', async () => {
    const args = ['--env', 'GIVEN_TOKEN', '--env', 'MODE=a=b', '--env', 'EMPTY='];
    // What is a secret by its name is hidden, should the server tell it.
    expect(await environmentOf(args)).toMatchObject({ GIVEN_TOKEN: '***', MODE: 'a=b', EMPTY: '' });
    const { MCP_API_KEY: key } = await environmentOf(['--env', 'MCP_API_KEY=k']);
    expect(key).toBe('k');
  });

  test('its directory is that of --cwd', async () => {
    const own = command(ownServer);
    for (const args of [['--cwd', directory], []]) {
      const run = await runCli(['call', 'process', ...args, ...own], { cwd: directory });
      expect(JSON.parse(run.stdout)).toMatchObject({ cwd: directory });
    }
    const elsewhere = await runCli(['call', 'process', '--cwd', '..', ...own], { cwd: directory });
    expect(JSON.parse(elsewhere.stdout)).toMatchObject({ cwd: realpathSync(tmpdir()) });
  });
});

describe('secrets', () => {
  test('of --env and of the command line are in no output', async () => {
    const secrets = [
      'cut-s3cret',
      'env-s3cret-of-the-test',
      'flag-s3cret-of-the-test',
      'query-s3cret-1',
    ];
    const [, variable, flag, query] = secrets;
    // What is shown of a command line ends in the middle of the last one.
    const last = ['x'.repeat(40), '--token', 'cut-s3cret-of-the-test'.repeat(10)];
    const words = ['--api-key', `${flag}`, `http://h/?token=${query}`];
    const target = command(ownServer, ...words, ...last);
    const options = ['--env', `PASSPHRASE_KEY=${variable}`, '--verbose'];
    const runs = [
      await runCli(['call', 'process', ...options, ...target]),
      await runCli(['inspect', '--json', ...options, ...target]),
      await runCli(['call', 'die', ...options, ...target]),
      await runCli(['tools', ...options, ...command(ownServer, ...words, 'ends-when-asked')]),
    ];
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 6, 3]);
    for (const { stdout, stderr } of runs) {
      expect(stdout + stderr).toContain('***');
      for (const secret of secrets) expect(stdout + stderr).not.toContain(secret);
    }
    complaintOf(runs[3] ?? expect.unreachable(), { verbose: true });
  });
});
