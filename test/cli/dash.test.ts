import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { OpenPage, send } from '../../packages/cli/test/dash/page.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { startCli, type CliProcess } from '../support/run-cli.ts';
import { until } from '../support/until.ts';
import { removeFolder } from '../support/remove-folder.ts';

expectNothingLeftOpen();

const address = /http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]+/g;

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'longwire-dash-'));
});
afterEach(() => removeFolder(cwd));

async function startDash(...words: string[]): Promise<{ command: CliProcess; page: OpenPage }> {
  const command = await startCli(['dash', '--no-open', ...words], { cwd });
  await command.waitFor(address);
  const [url = '', ...more] = command.stdout().match(address) ?? [];
  // Once, and nowhere else.
  expect([more, command.stderr()]).toEqual([[], expect.not.stringContaining('token=')]);
  return { command, page: new OpenPage(url) };
}

test('the demo is shown and written down until Ctrl-C, and can be shown again', async () => {
  const { command, page } = await startDash('--demo', '--record', 'r.ndjson');
  await using followed = await page.follow();
  const names = ['alerts', 'logs', 'metrics'];
  await followed.until(({ servers }) =>
    names.every((name) => servers.get(name)?.catalogue.tools !== undefined),
  );
  const request = { server: 'logs', method: 'tools/call', name: 'search_logs' };
  const call = await page.call({ ...request, arguments: { text: 'queue', last: { days: 1 } } });
  await followed.until((picture) => picture.find(call)?.end !== undefined);
  await until(() => followed.picture.events.length > 0);

  command.kill('SIGINT');
  const { code } = await command.done;
  expect(code).toBe(130);
  await until(() => followed.tap.ended());
  expect(followed.names.at(-1)).toBe('bye');
  await expect(send(page.origin)).rejects.toThrow(/ECONNREFUSED/);
  const recorded = await readFile(join(cwd, 'r.ndjson'), 'utf8');
  expect(recorded).not.toContain(page.token);
  expect(recorded.endsWith('\n')).toBe(true);

  const again = await startDash('--replay', 'r.ndjson');
  await using replayed = await again.page.follow();
  await replayed.tap.next('snapshot');
  await again.page.post('/api/replay', { at: followed.picture.at });
  await replayed.until((picture) => picture.find(call)?.end !== undefined);
  expect(replayed.picture.find(call)).toEqual(followed.picture.find(call));
  again.command.kill('SIGINT');
  expect((await again.command.done).code).toBe(130);
});

test('a target that is down is no end: it is shown, with the reason', async () => {
  const { command, page } = await startDash('http://127.0.0.1:9/sse', '--json');
  await using followed = await page.follow();
  await followed.until(({ servers }) =>
    servers.get('127.0.0.1:9')?.states.some(({ reason }) => reason?.code === 'connect-failed'),
  );
  expect(JSON.parse(command.stdout())).toEqual({ url: expect.stringMatching(address) });
  command.kill('SIGINT');
  expect((await command.done).code).toBe(130);
});
