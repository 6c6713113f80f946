import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashApiKey } from '@longwire/server';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { run } from '../run.ts';

const tools = fileURLToPath(
  new URL('../../../../test/support/stdio-servers/tools.mjs', import.meta.url),
);
const behind = ['--', process.execPath, tools];

let cwd: string;
let taken: Server;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'longwire-serve-'));
  taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
});
afterEach(async () => {
  await new Promise((resolve) => taken.close(resolve));
  await rm(cwd, { recursive: true, force: true });
});

it('refuses wrong words, before anything is started', async () => {
  await writeFile(join(cwd, 'no.json'), 'ci: abc');
  await writeFile(join(cwd, 'short.json'), '[{ "principal": "ci", "sha256": "the key itself" }]');
  await writeFile(join(cwd, 'empty.json'), '[]');
  const refused: Record<string, string[]> = {
    'no server given': [],
    'are two servers': ['http://127.0.0.1:1', ...behind],
    '"70000" is not a port': ['--port', '70000', ...behind],
    '"x" is no count': ['--max-sessions', 'x', ...behind],
    '"0" is no count': ['--max-sessions', '0', ...behind],
    '"proxy" is not an address': ['--trust-proxy', 'proxy', ...behind],
    '"10.0.0.0/33" is not an address': ['--trust-proxy', '10.0.0.0/33', ...behind],
    'none.json cannot be read: there is no such file': ['--api-keys', 'none.json', ...behind],
    'no.json is no JSON': ['--api-keys', 'no.json', ...behind],
    'short.json cannot be used: the list[0].sha256 must be 64 hexadecimal digits': [
      '--api-keys',
      'short.json',
      ...behind,
    ],
    'empty.json cannot be used': ['--api-keys', 'empty.json', ...behind],
    '--cluster: a URL must be redis://HOST:PORT': ['--cluster', 'http://x:secret@y', ...behind],
    '--cluster-prefix is for a node of a cluster': ['--cluster-prefix', 'shop:', ...behind],
    '--cluster: prefix must be text without braces': [
      '--cluster',
      'redis://127.0.0.1:1',
      '--cluster-prefix',
      '{shop}',
      ...behind,
    ],
    '--page "me" is nobody who could ask for it: there is anonymous': ['--page', 'me', ...behind],
    '--header is for a server at a URL': ['--header', 'a: b', ...behind],
  };
  for (const [why, words] of Object.entries(refused)) {
    const { code, stdout, stderr } = await run(['serve', ...words], { cwd });
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(why)]);
    for (const secret of ['the key itself', 'x:secret']) expect(stderr).not.toContain(secret);
  }
});

it('says what it cannot reach or listen on, and leaves nothing', async () => {
  const { port } = taken.address() as AddressInfo;
  const failures: [words: string[], code: number, why: string][] = [
    [['--port', String(port), ...behind], 2, 'something listens there already'],
    [['--', join(cwd, 'nothing')], 3, 'there is no such program'],
    [['http://127.0.0.1:1/mcp'], 3, 'nothing listens there'],
    [['--cluster', 'redis://:secret@127.0.0.1:1', ...behind], 3, '--cluster: Redis at 127.0.0.1:1'],
    [['--host', '192.0.2.1', ...behind], 2, '--host 192.0.2.1 cannot be listened on'],
  ];
  for (const [words, expected, why] of failures) {
    const { code, stdout, stderr } = await run(['serve', ...words], { cwd });
    expect([code, stdout, stderr]).toEqual([expected, '', expect.stringContaining(why)]);
    expect(stderr).not.toContain('secret');
  }
});

it('serves whoever has a key, until Ctrl-C', async () => {
  const keys = [{ principal: 'ci', sha256: hashApiKey('right') }];
  await writeFile(join(cwd, 'keys.json'), JSON.stringify(keys));
  let interrupt = (): void => {};
  let seen: Promise<number[]> | undefined;
  const statusOf = async (url: string, key: string): Promise<number> => {
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'test', version: '0' },
    };
    const { status, body } = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
    });
    await body?.cancel();
    return status;
  };
  const { code, stdout, stderr } = await run(
    ['serve', '--json', '--api-keys', 'keys.json', ...behind],
    {
      cwd,
      onInterrupt: (listener) => (interrupt = listener),
      onOutput: (text) => {
        const { url } = JSON.parse(text) as { url: string };
        seen ??= Promise.all([statusOf(url, 'wrong'), statusOf(url, 'right')]);
        void seen.finally(() => interrupt());
      },
    },
  );
  expect(await seen).toEqual([401, 200]);
  expect(code).toBe(130);
  expect(Object.keys(JSON.parse(stdout) as object)).toEqual(['url', 'sseUrl']);
  expect(stderr).toContain('Ctrl-C ends it.');
});
