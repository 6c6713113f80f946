import { createServer, type Server } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { run } from '../run.ts';

let cwd: string;
let taken: Server;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'longwire-dash-'));
  await writeFile(join(cwd, 'mine.txt'), 'mine');
  taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
});
afterEach(async () => {
  await new Promise((resolve) => taken.close(resolve));
  await rm(cwd, { recursive: true, force: true });
});

it('refuses what cannot be shown, before anything is started', async () => {
  const { port } = taken.address() as AddressInfo;
  const refused: Record<string, string[]> = {
    'no server given': [],
    '--demo brings servers of its own': ['http://127.0.0.1:1', '--demo'],
    'leave out what comes after --': ['--demo', '--', 'node', 'server.js'],
    '--demo and --replay': ['--demo', '--replay', 'r.ndjson'],
    '--replay shows no servers': ['http://127.0.0.1:1', '--replay', 'r.ndjson'],
    '--record is for what happens now': ['--record', 'a', '--replay', 'b'],
    '--checks is for servers that can be called': ['--checks', 'a', '--replay', 'b'],
    'no such file': ['--replay', 'r.ndjson'],
    'not a recording': ['--replay', 'mine.txt'],
    'there already': ['--demo', '--record', 'mine.txt'],
    'is not a port': ['--demo', '--port', '70000'],
    'something listens there already': ['--demo', '--port', String(port)],
    'is not a server': ['nowhere'],
  };
  for (const [why, words] of Object.entries(refused)) {
    const { code, stdout, stderr } = await run(['dash', '--no-open', ...words], { cwd });
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(why)]);
  }
});
