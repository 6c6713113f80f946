import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { startHostileSse, type HostileSseServer } from '../support/hostile-sse.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { runCli } from '../support/run-cli.ts';
import { hasTerminal, startAtTerminal } from './support/terminal.ts';

let cwd: string;
let server: HostileSseServer;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'longwire-inputs-'));
  server = await startHostileSse();
  await mkdir(join(cwd, '.vscode'));
  const { port } = new URL(server.url);
  const config = {
    inputs: [
      { id: 'key', type: 'promptString', description: 'The key\u202e of it', password: true },
      {
        id: 'host',
        type: 'pickString',
        options: ['no.invalid', '127.0.0.1'],
        default: '127.0.0.1',
      },
      { id: 'team', type: 'promptString', default: 'blue' },
    ],
    servers: {
      it: {
        type: 'sse',
        url: `http://\${input:host}:${port}/sse`,
        headers: { 'x-key': '${input:key}', 'x-team': '${input:team}' },
      },
    },
  };
  await writeFile(join(cwd, '.vscode/mcp.json'), JSON.stringify(config));
  return async () => {
    await server.close();
    await removeFolder(cwd);
  };
});

const sent = (name: string): unknown[] => [
  ...new Set(server.requests.map(({ headers }) => headers[name])),
];

describe.runIf(hasTerminal)('what VS Code asks a person for, at a terminal', () => {
  test('is asked for, and a secret is not shown', async () => {
    await using terminal = await startAtTerminal(['tools', '.vscode:it'], { cwd });
    const first = await terminal.shows(/"127\.0\.0\.1"[^]*/);
    expect(first).toContain('${input:key}');
    terminal.type('\r');
    await terminal.shows(/"The key\\u202e of it"/);
    terminal.type('typed-secret-1\r');
    await terminal.shows(/"team".*blue/);
    terminal.type('\r');
    expect(await terminal.ended).toBe(0);
    expect(await terminal.shows(/./)).not.toContain('typed-secret-1');
    expect(sent('x-key')).toEqual(['typed-secret-1']);
    expect(sent('x-team')).toEqual(['blue']);
  });

  test('is asked for no more after Ctrl-C, and nothing is sent', async () => {
    await using terminal = await startAtTerminal(['tools', '.vscode:it'], { cwd });
    await terminal.shows(/"127\.0\.0\.1"/);
    terminal.type('\u0003');
    expect(await terminal.ended).toBe(130);
    expect(server.requests).toEqual([]);
  });
});

test('elsewhere it is named, and a variable answers it', async () => {
  const { code, stderr } = await runCli(['tools', '.vscode:it'], { cwd });
  expect(code).toBe(2);
  for (const name of ['HOST', 'KEY', 'TEAM'])
    expect(stderr).toContain(`set LONGWIRE_INPUT_${name}`);
  const env = {
    LONGWIRE_INPUT_HOST: '127.0.0.1',
    LONGWIRE_INPUT_KEY: 'secret-of-the-variable',
    LONGWIRE_INPUT_TEAM: 'red',
  };
  const run = await runCli(['tools', '.vscode:it', '-v'], { cwd, env });
  expect(run.code, run.stderr).toBe(0);
  expect(sent('x-key')).toEqual(['secret-of-the-variable']);
  expect(run.stdout + run.stderr).not.toContain('secret-of-the-variable');
});

test('is not needed to allow the server', async () => {
  expect((await runCli(['servers', 'allow', '.vscode:it'], { cwd })).code).toBe(0);
});
