import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve, type Serving } from '@longwire/server';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDemoServer } from '../../src/demo/server.ts';
import { run, type Run } from '../run.ts';
import { writeFiles } from './write-files.ts';

let serving: Serving;
let root: string;
let home: string;
let cwd: string;
beforeAll(async () => {
  serving = await serve({ create: () => createDemoServer() });
});
afterAll(() => serving.close());
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'longwire-hosts-'));
  home = join(root, 'home');
  cwd = join(root, 'work');
  writeFiles(root, { 'home/.keep': '', 'work/.keep': '' });
  return () => rmSync(root, { recursive: true });
});

function runHere(args: string[], env: Record<string, string> = {}): Promise<Run> {
  return run(args, { env: { HOME: home, ...env }, cwd });
}

/** A file of each program as its documentation has it. */
function everyHost(url: string): Record<string, string> {
  const remote = JSON.stringify({ it: { url } });
  return {
    'home/.config/Claude/claude_desktop_config.json': `{ "mcpServers": { "it": { "command": "npx", "args": ["-y", "x", "\${HOME}"] } } }`,
    'home/.claude.json': `{ "numStartups": 3, "mcpServers": { "it": { "type": "http", "url": "${url}" } },
      "projects": { ${JSON.stringify(join(root, 'work'))}: { "mcpServers": { "local": { "type": "http", "url": "${url}" } } } } }`,
    'home/.cursor/mcp.json': `{ "mcpServers": ${remote} }`,
    'home/.config/Code/User/mcp.json': `{ "servers": { "it": { "type": "http", "url": "${url}" } }, "inputs": [] }`,
    'home/.config/Code/User/settings.json': `{ "editor.tabSize": 2, "mcp": { "servers": { "old": { "url": "${url}" }, "it": { "url": "http://127.0.0.1:9" } } }, }`,
    'home/.config/Code - Insiders/User/mcp.json': `{ "servers": ${remote} }`,
    'home/.config/VSCodium/User/settings.json': `{ "workbench.colorTheme": "x" }`,
    'home/.codeium/windsurf/mcp_config.json': `{ "mcpServers": { "it": { "serverUrl": "${url}" } } }`,
    'home/.codex/config.toml': `model = "gpt"\n[mcp_servers.it]\nurl = "${url}"\n`,
    'home/.gemini/settings.json': `{ "mcp": { "excluded": ["off"] }, "mcpServers": { "it": { "httpUrl": "${url}" }, "off": { "httpUrl": "${url}" } } }`,
    'home/.config/opencode/opencode.json': `{ "$schema": "https://opencode.ai/config.json", "mcp": { "it": { "type": "remote", "url": "${url}", "enabled": true } } }`,
    'home/.config/zed/settings.json': `{ // mine\n "context_servers": { "it": { "url": "${url}", "headers": {} } } }`,
    'work/.mcp.json': `{ "mcpServers": { "it": { "type": "http", "url": "${url}" } } }`,
    'work/.cursor/mcp.json': `{ "mcpServers": ${remote} }`,
    'work/.vscode/mcp.json': `{ "servers": ${remote} }`,
    'work/.gemini/settings.json': `{ "mcpServers": ${remote} }`,
    'work/.codex/config.toml': `[mcp_servers.it]\nurl = "${url}"\n`,
    'work/opencode.jsonc': `{ "mcp": { "servers": { "it": { "type": "remote", "url": "${url}" } } } }`,
    'work/.zed/settings.json': `{ "context_servers": ${remote} }`,
  };
}

const remoteNames =
  '.mcp .cursor .vscode .gemini .codex .opencode .zed claude-code cursor vscode vscode-insiders windsurf codex gemini opencode zed'
    .split(' ')
    .map((host) => `${host}:it`);

describe.runIf(process.platform === 'linux')('a file of each program', () => {
  beforeEach(() => writeFiles(root, everyHost(serving.url)));

  it('is found, and shown with where it is', async () => {
    const { code, stdout, stderr } = await runHere(['servers', '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const listed = JSON.parse(stdout) as Record<string, unknown>[];
    const usable = listed.filter(({ disabled }) => disabled === false).map(({ name }) => name);
    expect(new Set(usable)).toEqual(
      new Set([...remoteNames, 'claude-code:local', 'claude-desktop:it', 'vscode:old']),
    );
    expect(listed.find(({ name }) => name === 'gemini:off')).toMatchObject({ disabled: true });
    expect(listed.find(({ name }) => name === 'codex:it')).toEqual({
      name: 'codex:it',
      target: serving.url,
      transport: null,
      source: join(home, '.codex/config.toml'),
      allowed: false,
      changed: false,
      disabled: false,
      error: null,
      needs: [],
    });
    const table = await runHere(['servers']);
    expect(table.stdout).toMatch(/^cursor:it +http:\S+ +~\/\.cursor\/mcp\.json +not allowed$/m);
    expect(table.stdout).toMatch(/^\.mcp:it +http:\S+ +\.mcp\.json +not allowed$/m);
    expect(table.stdout).toMatch(/^claude-desktop:it +npx -y x \S+ /m);
  });

  it('gives its servers names that are used', async () => {
    for (const name of [...remoteNames, 'claude-code:local', 'vscode:old']) {
      const called = await runHere(['call', name, 'echo', `message=${name}`]);
      expect(called, name).toEqual({ code: 0, stdout: `${name}\n`, stderr: '' });
    }
  });

  it('is no part of @all, unless it was allowed', async () => {
    const none = await runHere(['tools', '@all']);
    expect(none).toMatchObject({ code: 2, stdout: '' });
    expect((await runHere(['servers', 'allow', 'cursor:it', '.zed:it'])).code).toBe(0);
    const all = await runHere(['resources', '@all', '--json']);
    const servers = (JSON.parse(all.stdout) as { server: string }[]).map(({ server }) => server);
    expect(servers.toSorted()).toEqual(['.zed:it', 'cursor:it']);
    const status = await runHere(['servers', 'status', '--json']);
    expect(JSON.parse(status.stdout)).toHaveLength(2);
  });

  it.each([
    ['cursor:itt', /no server "cursor:itt"\. Did you mean cursor:it, \.cursor:it\?/],
    ['gemini:off', /server "gemini:off" is disabled in .*settings\.json:1/],
    ['vscodium:it', /no server "vscodium:it"/],
    ['it', /no server "it" here\. Did you mean \.mcp:it, .*cursor:it/],
  ])('has no other names: %s', async (name, message) => {
    const { code, stdout, stderr } = await runHere(['tools', name]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });

  it('is not looked at with --config', async () => {
    writeFiles(root, { 'work/own.json': '{ "servers": {} }' });
    const { code, stderr } = await runHere(['tools', 'cursor:it', '--config', 'own.json']);
    expect(code).toBe(2);
    expect(stderr).toContain('own.json has no server "cursor:it"');
  });
});

describe('a file that is broken', () => {
  it('is one remark, and keeps nobody from the others', async () => {
    writeFiles(root, {
      'home/.cursor/mcp.json': '{ "mcpServers": ',
      'home/.codex/config.toml': 'x = ',
      'home/.gemini/settings.json': `{ "mcpServers": { "it": { "httpUrl": "${serving.url}" }, "odd": 5 } }`,
      'work/longwire.json': '{ "serv": 1 }',
      'work/.mcp.json': `"${' '.repeat(5 * 1024 * 1024)}"`,
      'work/.vscode/mcp.json/inside': '',
    });
    const { code, stdout, stderr } = await runHere(['servers']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^gemini:it .* not allowed$/m);
    expect(stdout).toMatch(/^gemini:odd .* cannot be used: .*expected an object/m);
    const left = stderr.split('\n').filter((line) => line.includes(' is left out: '));
    expect(left.map((line) => line.split(' ', 1)[0])).toEqual([
      'longwire.json',
      '.mcp.json',
      '.vscode/mcp.json',
      '~/.cursor/mcp.json',
      '~/.codex/config.toml',
    ]);
    expect((await runHere(['call', 'gemini:it', 'echo', 'message=hi'])).stdout).toBe('hi\n');
    const broken = await runHere(['tools', 'cursor:it']);
    expect(broken.code).toBe(2);
    expect(broken.stderr).toMatch(/no server "cursor:it": ~\/\.cursor\/mcp\.json cannot be used: /);
  });
});

it('what is asked as a secret is shown nowhere, also among the words of a command', async () => {
  const server = {
    type: 'stdio',
    command: process.execPath,
    args: [
      '-e',
      'console.error(process.argv.join()); process.exit(3)',
      '${input:it}',
      '${input:team}',
    ],
  };
  const inputs = [
    { id: 'it', type: 'promptString', password: true },
    { id: 'team', type: 'promptString' },
  ];
  writeFiles(root, {
    'work/.vscode/mcp.json': JSON.stringify({ inputs, servers: { it: server } }),
  });
  const env = { LONGWIRE_INPUT_IT: 'nobody may see it', LONGWIRE_INPUT_TEAM: 'all-see-this' };
  const { code, stderr } = await runHere(['tools', '.vscode:it', '--trace'], env);
  expect(code).toBe(3);
  expect(stderr).toContain('all-see-this');
  expect(stderr).not.toContain('nobody may');
});
