import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { removeFolder } from '../../../../test/support/remove-folder.ts';
import { servePage } from '../../src/dash/page-server.ts';
import { Replay } from '../../src/dash/replay.ts';
import { OpenPage } from '../dash/page.ts';
import { run } from '../run.ts';

const chatty = fileURLToPath(
  new URL('../../../../test/support/stdio-servers/chatty.mjs', import.meta.url),
);

it('a call that was traced to a file is shown by the page, with its logs, as it was', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'longwire-traced-'));
  const file = join(folder, 'call.ndjson');
  const command = ['--', process.execPath, chatty];
  expect((await run(['call', 'log', `--trace=${file}`, ...command])).code).toBe(0);
  const replay = await Replay.open(file);
  await replay.whole;
  expect(replay.size.unread).toBe(0);
  {
    await using server = await servePage(replay);
    const page = new OpenPage(server.url);
    await using followed = await page.follow();
    await followed.tap.next('snapshot');
    await page.post('/api/replay', { at: replay.position.to });
    await followed.until(({ ended }) => ended.some(({ name }) => name === 'log'));
    const { picture } = followed;
    const call = picture.ended.find(({ name }) => name === 'log');
    expect(JSON.parse((await page.get(`/api/calls/${call?.call}`)).body)).toMatchObject({
      end: { outcome: 'result', result: { content: [{ text: 'did log' }] } },
    });
    expect(picture.events.map((event) => 'params' in event && event.params)).toContainEqual(
      expect.objectContaining({ level: 'warning', logger: 'chatty' }),
    );
    const [server_] = picture.servers.values();
    expect(server_).toMatchObject({ known: { info: { name: 'chatty' } } });
  }
  await replay.close();
  await removeFolder(folder);
});
