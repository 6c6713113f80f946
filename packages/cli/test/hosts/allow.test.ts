import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve, type Serving } from '@longwire/server';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDemoServer } from '../../src/demo/server.ts';
import { run, type Run } from '../run.ts';
import { writeFiles } from './write-files.ts';

let serving: Serving;
let root: string;
let cwd: string;
beforeAll(async () => {
  serving = await serve({ create: () => createDemoServer() });
});
afterAll(() => serving.close());
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'longwire-allow-'));
  cwd = join(root, 'work');
  writeFiles(root, { 'home/.keep': '', 'work/.keep': '' });
  return () => rmSync(root, { recursive: true });
});

function runHere(args: string[], env: Record<string, string> = {}): Promise<Run> {
  return run(args, { env: { HOME: join(root, 'home'), ...env }, cwd });
}

/** Whether `servers` says that it is allowed, or has changed. */
async function standing(name: string, env: Record<string, string> = {}): Promise<string> {
  const { stdout } = await runHere(['servers', '--json'], env);
  const listed = JSON.parse(stdout) as { name: string; allowed: boolean; changed: boolean }[];
  const found = listed.find((each) => each.name === name);
  return found?.allowed === true ? 'allowed' : found?.changed === true ? 'changed' : 'unknown';
}

const own = (server: object): Record<string, string> => ({
  'work/longwire.json': JSON.stringify({ servers: { it: server } }),
});

describe('servers allow', () => {
  it('prints all that it allows, invisible characters and all, and no secret of the user', async () => {
    writeFiles(root, {
      ...own({
        command: 'node',
        args: ['a\u202eb.js', '\u001b[31mred'],
        env: { KEY: '${MY_KEY}', WHAT: '${WHAT}' },
        cwd: 'sub',
      }),
      'work/.env': 'WHAT=of the repository\n',
    });
    const { code, stdout, stderr } = await runHere(['servers', 'allow', 'it'], {
      MY_KEY: 'my-own-key-1',
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trimEnd().split('\n')).toEqual([
      'Allowed as it is now: it',
      '  "longwire.json:1"',
      '  "command": "node"',
      '  "args": ["a\\u202eb.js","\\u001b[31mred"]',
      '  "env": {"KEY":"${MY_KEY}","WHAT":"${WHAT}"}',
      '  "cwd": "sub"',
      '  ${WHAT} is "of the repository", of its .env',
      '  it is given your ["MY_KEY"]',
    ]);
  });

  it('keeps it for its owner alone, and nothing secret', async () => {
    writeFiles(root, own({ url: 'https://h/mcp', headers: { key: 'key-of-the-file' } }));
    await runHere(['servers', 'allow', 'it']);
    const folder = join(root, 'home/.local/state/longwire/allowed');
    const [file = ''] = readdirSync(folder);
    expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(folder, file), 'utf8')).not.toContain('key-of-the-file');
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it('goes on until it is taken back, also where the file is gone', async () => {
    writeFiles(root, own({ url: serving.sseUrl }));
    expect(await standing('it')).toBe('unknown');
    expect((await runHere(['servers', 'allow', 'it', '--json'])).stdout).toContain(
      '"allowed": true',
    );
    expect(await standing('it')).toBe('allowed');
    const all = await runHere(['resources', '@all']);
    expect(all).toMatchObject({ code: 0, stderr: '' });
    writeFileSync(join(cwd, 'longwire.json'), '{ "servers": {} }');
    expect((await runHere(['servers', 'disallow', 'it'])).code).toBe(0);
    writeFiles(root, own({ url: serving.sseUrl }));
    expect(await standing('it')).toBe('unknown');
  });

  it.each<[string[], RegExp]>([
    [['allow'], /NAMES is missing; longwire help servers says more/],
    [['allow', 'other'], /no server "other"/],
    [['allow', 'it', '--config', 'longwire.json'], /what --config names is used as it is/],
    [['disallow', 'it'], /"it" is not allowed here/],
  ])('%j: 2', async (words, message) => {
    writeFiles(root, own({ url: serving.sseUrl }));
    const { code, stderr } = await runHere(['servers', ...words]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  it('says where it cannot be kept', async () => {
    writeFiles(root, { ...own({ url: serving.sseUrl }), state: '' });
    const env = { XDG_STATE_HOME: join(root, 'state') };
    const { code, stderr } = await runHere(['servers', 'allow', 'it'], env);
    expect(code).toBe(2);
    expect(stderr).toMatch(/what is allowed could not be kept in .*state\/longwire\/allowed/);
    // To be named is enough all the same.
    expect((await runHere(['call', 'it', 'echo', 'message=hi'], env)).stdout).toBe('hi\n');
  });
});

describe('what changes after it was allowed', () => {
  const server = { command: 'node', args: ['a.js'], env: { A: 'b', T: '${T}' }, cwd: 'sub' };
  const env = { T: 't' };

  it.each<[string, object]>([
    ['the command', { ...server, command: 'bun' }],
    ['an argument', { ...server, args: ['b.js'] }],
    ['one more argument', { ...server, args: ['a.js', ''] }],
    ['a value', { ...server, env: { ...server.env, A: 'c' } }],
    ['a variable of the user', { ...server, env: { ...server.env, S: '${T}' } }],
    ['where it runs', { ...server, cwd: 'other' }],
    ['how far it is trusted', { ...server, trusted: true }],
    ['into a URL', { url: 'http://127.0.0.1:9/${T}' }],
  ])('%s: is not used before it is allowed anew', async (_, changed) => {
    writeFiles(root, own(server));
    await runHere(['servers', 'allow', 'it'], env);
    writeFiles(root, own(changed));
    expect(await standing('it', env)).toBe('changed');
    for (const words of [
      ['tools', 'it'],
      ['call', 'it', 'echo'],
      ['servers', 'status', 'it'],
    ]) {
      const { code, stdout, stderr } = await runHere(words, env);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toBe(
        'error: "it" of longwire.json has changed since it was allowed: longwire servers allow it\n',
      );
    }
    expect((await runHere(['tools', '@all'], env)).code).toBe(2);
    await runHere(['servers', 'allow', 'it'], env);
    expect(await standing('it', env)).toBe('allowed');
  });

  it('the .env beside the file, and a file of variables', async () => {
    const foreign = { servers: { it: { command: '${TOOL}', envFile: 'vars', type: 'stdio' } } };
    writeFiles(root, {
      'work/.vscode/mcp.json': JSON.stringify(foreign),
      'work/.env': 'TOOL=node\nOTHER=1\n',
      'work/vars': 'A=b\n',
    });
    await runHere(['servers', 'allow', '.vscode:it']);
    writeFiles(root, { 'work/.env': 'TOOL=node\nOTHER=2\n' });
    expect(await standing('.vscode:it')).toBe('allowed');
    writeFiles(root, { 'work/.env': 'TOOL=evil\n' });
    expect(await standing('.vscode:it')).toBe('changed');
    writeFiles(root, { 'work/.env': 'TOOL=node\n', 'work/vars': 'A=b\nNODE_OPTIONS=-r evil\n' });
    expect(await standing('.vscode:it')).toBe('changed');
  });

  it('is not: a variable of the user, the layout of the file, another server', async () => {
    writeFiles(root, own(server));
    await runHere(['servers', 'allow', 'it'], env);
    const text = JSON.stringify({ servers: { other: { url: 'http://h' }, it: server } }, null, 4);
    writeFileSync(join(cwd, 'longwire.json'), `// mine\n${text}`);
    expect(await standing('it', { T: 'new' })).toBe('allowed');
  });

  it('is the same name elsewhere', async () => {
    writeFiles(root, { ...own(server), 'work/.mcp.json': '{ "mcpServers": { "it": {} } }' });
    await runHere(['servers', 'allow', 'it'], env);
    expect(await standing('.mcp:it', env)).toBe('unknown');
    const elsewhere = join(root, 'elsewhere');
    writeFiles(elsewhere, { 'longwire.json': JSON.stringify({ servers: { it: server } }) });
    const all = await run(['tools', '@all'], {
      env: { HOME: join(root, 'home'), ...env },
      cwd: elsewhere,
    });
    expect(all.stderr).toContain(
      'no server is allowed yet, and only those that are count where none is named',
    );
  });
});

it('what lies among the allowances and is none allows nothing', async () => {
  writeFiles(root, own({ url: serving.sseUrl }));
  await runHere(['servers', 'allow', 'it']);
  const folder = join(root, 'home/.local/state/longwire/allowed');
  const [file = ''] = readdirSync(folder);
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (text) => {
      writeFileSync(join(folder, file), text);
      expect(await standing('it')).toBe('unknown');
    }),
    { numRuns: 25 },
  );
});
