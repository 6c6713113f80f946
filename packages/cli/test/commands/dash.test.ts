import { createServer, type Server } from 'node:http';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHeader } from '@longwire/recording';
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
    '--demo brings some': [],
    '--demo brings servers of its own': ['http://127.0.0.1:1', '--demo'],
    'leave out what comes after --': ['--demo', '--', 'node', 'server.js'],
    '--demo and --replay': ['--demo', '--replay', 'r.ndjson'],
    '--replay shows no servers': ['http://127.0.0.1:1', '--replay', 'r.ndjson'],
    '--record is for what happens now': ['--record', 'a', '--replay', 'b'],
    '--checks is for servers that can be called': ['--checks', 'a', '--replay', 'b'],
    '--export is for a recording': ['--demo', '--export', 'har'],
    '--out is for --export': ['--replay', 'r.ndjson', '--out', 'o.json'],
    '"pdf" is not there: use otlp, chrome, har': ['--replay', 'r.ndjson', '--export', 'pdf'],
    'r.ndjson cannot be used: there is no such file': ['--replay', 'r.ndjson', '--export', 'har'],
    'mine.txt cannot be used: not a recording': ['--replay', 'mine.txt', '--export', 'har'],
    'no such file': ['--replay', 'r.ndjson'],
    'not a recording': ['--replay', 'mine.txt'],
    'there already': ['--demo', '--record', 'mine.txt'],
    'there is no such directory': ['--demo', '--record', 'nowhere/r.ndjson'],
    'it is a directory': ['--demo', '--record', '.', '--force'],
    'is not a port': ['--demo', '--port', '70000'],
    'something listens there already': ['--demo', '--port', String(port)],
    'is not a server': ['nowhere'],
  };
  for (const [why, words] of Object.entries(refused)) {
    const { code, stdout, stderr } = await run(['dash', '--no-open', ...words], { cwd });
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(why)]);
  }
});

it('exports a recording to stdout or to a file, and replaces none unasked', async () => {
  const at = Date.now();
  const of = { at, server: 'market', call: 1 };
  const lines = [
    createHeader('test'),
    { ...of, type: 'call', method: 'tools/call', name: 'search', arguments: { text: 'tea' } },
    { ...of, type: 'attempt', attempt: 1, id: 2 },
    { ...of, at: at + 5, type: 'end', outcome: 'result', durationMs: 5, result: { content: [] } },
  ];
  await writeFile(join(cwd, 'r.ndjson'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const words = ['dash', '--replay', 'r.ndjson', '--export'];
  const spans: Record<string, (exported: never) => unknown[]> = {
    otlp: ({ resourceSpans }: { resourceSpans: unknown[] }) => resourceSpans,
    chrome: (events: unknown[]) => events,
    har: ({ log }: { log: { entries: unknown[] } }) => log.entries,
  };
  for (const [format, spansOf] of Object.entries(spans)) {
    const { code, stdout, stderr } = await run([...words, format], { cwd });
    expect([code, stderr]).toEqual([0, '']);
    expect(spansOf(JSON.parse(stdout) as never).length).toBeGreaterThan(0);
    expect(stdout).toContain('search');

    const out = await run([...words, format, '--out', `${format}.json`], { cwd });
    expect([out.code, out.stdout]).toEqual([0, '']);
    expect(JSON.parse(await readFile(join(cwd, `${format}.json`), 'utf8'))).toEqual(
      JSON.parse(stdout),
    );
  }
  const itself = await run([...words, 'har', '--out', './r.ndjson', '--force'], { cwd });
  expect([itself.code, itself.stderr]).toEqual([2, expect.stringContaining('recording itself')]);
  expect(await readFile(join(cwd, 'r.ndjson'), 'utf8')).toContain('"recording"');
  const taken = [...words, 'har', '--out', 'mine.txt'];
  const refused = await run(taken, { cwd });
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('there already')]);
  expect(await readFile(join(cwd, 'mine.txt'), 'utf8')).toBe('mine');
  expect((await run([...taken, '--force'], { cwd })).code).toBe(0);
  expect(await readFile(join(cwd, 'mine.txt'), 'utf8')).toContain('search');
});
