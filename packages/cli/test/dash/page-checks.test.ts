import { chmod, lstat, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { Live } from '../../src/dash/live.ts';
import { PageChecks } from '../../src/dash/page-checks.ts';
import { servePage, type PageServer } from '../../src/dash/page-server.ts';
import { OpenPage } from './page.ts';

expectNothingLeftOpen();

const url = 'http://127.0.0.1:3001/mcp';
const file = 'longwire.checks.json';
const echo = { server: 'local', tool: 'echo', arguments: { message: 'hi' } };

interface List {
  version: string;
  checks: object[];
}

let directory: string;
let live: Live;
let server: PageServer;
let page: OpenPage;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'longwire-checks-'));
  const checks = new PageChecks(join(directory, file));
  checks.addServer('local', url);
  checks.addServer('market', 'market');
  live = new Live({ checks });
  server = await servePage(live, { directory });
  page = new OpenPage(server.url);
});
afterEach(async () => {
  await server.close();
  await live.close();
  await rm(directory, { recursive: true, force: true });
});

const written = async (): Promise<unknown> =>
  JSON.parse(await readFile(join(directory, file), 'utf8'));
const write = (text: string): Promise<void> => writeFile(join(directory, file), text);
const listed = async (): Promise<List> => JSON.parse((await page.get('/api/checks')).body) as List;

async function refusal(path: string, body?: unknown): Promise<[number, string]> {
  const { status, body: text } =
    body === undefined ? await page.get(path) : await page.post(path, body);
  return [status, (JSON.parse(text) as { error: { message: string } }).error.message];
}

it('lists, adds and removes checks of a file that a person edits, too', async () => {
  expect(await listed()).toMatchObject({ file, checks: [] });
  const { status, body } = await page.post('/api/checks', { ...echo, expect: { contains: 'hi' } });
  expect(status).toBe(201);
  const first = { ...echo, server: url, expect: { contains: 'hi' } };
  expect(JSON.parse(body)).toMatchObject({ checks: [{ ...first, index: 0, shownAs: 'local' }] });
  expect(await written()).toEqual({ checks: [first] });

  const elsewhere = { server: 'elsewhere', tool: 'x' };
  await write(JSON.stringify({ checks: [elsewhere, first] }));
  await page.post('/api/checks', { server: 'market', tool: 'price' });
  const { version, checks } = await listed();
  expect(checks).toEqual([
    { ...elsewhere, index: 0 },
    { ...first, index: 1, shownAs: 'local' },
    { server: 'market', tool: 'price', index: 2, shownAs: 'market' },
  ]);
  const removed = await page.post('/api/checks/remove', { index: 1, version });
  expect(removed.status).toBe(200);
  expect(await written()).toEqual({ checks: [elsewhere, { server: 'market', tool: 'price' }] });
  expect(await readdir(directory)).toEqual([file]);
});

it('removes nothing where the file has changed since it was shown', async () => {
  await page.post('/api/checks', echo);
  const { version } = await listed();
  await page.post('/api/checks', { ...echo, tool: 'add' });
  const [status, message] = await refusal('/api/checks/remove', { index: 0, version });
  expect([status, message]).toEqual([409, expect.stringContaining('has changed meanwhile')]);
  const beyond = { index: 2, version: (await listed()).version };
  expect((await refusal('/api/checks/remove', beyond))[0]).toBe(409);
  expect((await refusal('/api/checks/remove', { index: 0 }))[0]).toBe(400);
  expect((await listed()).checks).toHaveLength(2);
});

it('touches no file that has a mistake', async () => {
  await write('{ "checks": [');
  const message = `${file} cannot be used`;
  for (const body of [undefined, echo]) {
    expect(await refusal('/api/checks', body)).toEqual([422, expect.stringContaining(message)]);
  }
  expect(await readFile(join(directory, file), 'utf8')).toBe('{ "checks": [');
});

it('adds nothing that is no check, or of a server that is not shown', async () => {
  expect(await refusal('/api/checks', { ...echo, server: url })).toEqual([
    404,
    'There is no such server.',
  ]);
  expect(await refusal('/api/checks', { ...echo, expect: { contain: 'x' } })).toEqual([
    400,
    expect.stringContaining('the check.expect has a member "contain"'),
  ]);
  expect(await readdir(directory)).toEqual([]);
});

it('writes nothing that it could not read again', async () => {
  await page.post('/api/checks', echo);
  const deep = JSON.parse(`${'['.repeat(197)}${']'.repeat(197)}`) as unknown;
  const large = Array.from({ length: 5 }, () => 'x'.repeat(1_000_000));
  for (const equals of [deep, large]) {
    const [status, message] = await refusal('/api/checks', { ...echo, expect: { equals } });
    expect([status, message]).toEqual([500, expect.stringMatching(/not saved.* cannot be used/)]);
  }
  expect((await listed()).checks).toHaveLength(1);
  expect(await readdir(directory)).toEqual([file]);
});

it.skipIf(process.platform === 'win32')('writes through no link of somebody else', async () => {
  await writeFile(join(directory, 'other'), 'theirs');
  await symlink('other', join(directory, `${file}.${process.pid}.new`));
  await page.post('/api/checks', echo);
  expect((await listed()).checks).toHaveLength(1);
  expect(await readFile(join(directory, 'other'), 'utf8')).toBe('theirs');
  expect((await lstat(join(directory, file))).isSymbolicLink()).toBe(false);
});

it.skipIf(process.platform === 'win32')('keeps who may read the file', async () => {
  const mode = async (): Promise<number> => (await lstat(join(directory, file))).mode & 0o777;
  await page.post('/api/checks', echo);
  expect(await mode()).toBe(0o600);
  await chmod(join(directory, file), 0o640);
  await page.post('/api/checks', echo);
  expect(await mode()).toBe(0o640);
});

it('keeps integers of any size, and writes what a link leads to', async () => {
  const text = `{"checks":[{"server":"market","tool":"t","arguments":{"id":9007199254740993}}]}`;
  await writeFile(join(directory, 'real.json'), text);
  await symlink('real.json', join(directory, file));
  expect((await listed()).checks).toMatchObject([{ arguments: { id: '9007199254740993' } }]);
  await page.post('/api/checks', echo);
  expect(await readFile(join(directory, 'real.json'), 'utf8')).toContain('"id": 9007199254740993');
  expect((await lstat(join(directory, file))).isSymbolicLink()).toBe(true);
});

it('has none where nothing can be called', async () => {
  await using other = await servePage(
    { mode: 'live', log: live.log, call: live.call, recording: live.recording, close: live.close },
    { directory },
  );
  const { status } = await new OpenPage(other.url).get('/api/checks');
  expect(status).toBe(409);
});
