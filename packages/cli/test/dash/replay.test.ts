import { createClient } from '@longwire/client';
import { createHeader, Picture, toLine, type RecordedLine } from '@longwire/recording';
import { chmod, open, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { until } from '../../../../test/support/until.ts';
import { cutLine } from '../../src/dash/cut-line.ts';
import { serveDemoServers } from '../../src/dash/demo/serve-servers.ts';
import { Live } from '../../src/dash/live.ts';
import { servePage } from '../../src/dash/page-server.ts';
import { RecordingFile } from '../../src/dash/recording-file.ts';
import { Replay } from '../../src/dash/replay.ts';
import { OpenPage } from './page.ts';

expectNothingLeftOpen();

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'longwire-recording-'));
  path = join(directory, 'r.ndjson');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const onFailure = (error: Error): void => {
  throw error;
};

describe('a recording', () => {
  it('that is shown again has the same picture', async () => {
    const file = await RecordingFile.create(path, { onFailure });
    const live = new Live({ onLine: (text) => file.write(text) });
    const demo = await serveDemoServers();
    const clients = demo.servers.map(({ name, url }) => {
      const client = createClient(url, { name, middleware: [live.middleware(name)] });
      live.add(name, client, url);
      return client;
    });
    await Promise.all(
      clients.map((client, index) =>
        client.callTool(['query_metric', 'search_logs', 'run_check'][index] ?? '', {
          metric: 'cpu',
          text: 'retry',
          last: { days: 1 },
        }),
      ),
    );
    await until(() =>
      [...live.log.picture.servers.values()].every(
        ({ catalogue }) => catalogue.tools !== undefined,
      ),
    );
    await live.close();
    await file.close();
    for (const client of clients) await client.close();
    await demo.close();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const picture = live.log.picture.toJSON();
    expect(picture.calls.filter(({ method }) => method === 'tools/call')).toHaveLength(3);

    const replay = await Replay.open(path);
    await using server = await servePage(replay);
    const page = new OpenPage(server.url);
    await using followed = await page.follow();
    const { data } = await followed.tap.next('snapshot');
    expect(JSON.parse(data)).toMatchObject({
      mode: 'replay',
      replay: { file: 'r.ndjson', speed: 1, playing: true, to: picture.at },
    });
    expect((await page.post('/api/replay', { at: picture.at })).status).toBe(204);
    await followed.until(({ at }) => at === picture.at);
    expect(followed.picture.toJSON()).toEqual(JSON.parse(JSON.stringify(picture)));
    const { call } = picture.calls.find(({ name }) => name === 'search_logs') ?? {};
    expect(JSON.parse((await page.get(`/api/calls/${call}`)).body)).toMatchObject({
      arguments: { text: 'retry' },
      end: { outcome: 'result' },
    });
    expect((await page.get('/api/recording')).body).toBe(await readFile(path, 'utf8'));
    const refused = await page.post('/api/call', {});
    expect([refused.status, refused.body]).toEqual([409, expect.stringContaining('"replay"')]);
    await server.close();
    await replay.close();
  });

  it('goes on with the time at its speed, is held, and tells where it is', async () => {
    await writeFile(path, [createHeader('test', 0), ...lines(400)].map(toLine).join(''));
    const replay = await Replay.open(path);
    await using server = await servePage(replay);
    const page = new OpenPage(server.url);
    await using followed = await page.follow();
    await followed.tap.next('replay');
    for (const wrong of [{ speed: 0 }, { speed: -1 }, { at: 'now' }, { playing: 1 }]) {
      expect((await page.post('/api/replay', wrong)).status).toBe(400);
    }
    // Begins in the first of its 400 seconds: it is not over soon.
    expect(followed.picture.events.length).toBeLessThan(200);
    await page.post('/api/replay', { speed: 1000 });
    await until(() => {
      const { data = '{}' } = followed.tap.events.findLast(({ event }) => event === 'replay') ?? {};
      const { playing, at } = JSON.parse(data) as { playing: boolean; at: number };
      expect([playing, at]).toEqual([false, 400_000]);
    });
    expect(followed.picture.events).toHaveLength(400);
    await page.post('/api/replay', { at: 100_000 });
    await followed.until(({ events }) => events.length === 100);
    await server.close();
    await replay.close();
  });

  it('of many lines is shown at any time, and is not kept as a whole', async () => {
    const count = 60_000;
    const file = await open(path, 'w');
    await file.write(toLine(createHeader('test', 0)));
    const all = lines(count, 'z'.repeat(200));
    await file.write(all.map(toLine).join(''));
    await file.close();
    const replay = await Replay.open(path);
    expect(replay.size.lines).toBeLessThan(count);
    await replay.control({ playing: false, at: count * 1000 });
    const { at: shown } = replay.log.picture;
    expect(shown).toBeGreaterThan(1000);
    expect(shown).toBeLessThan(count * 1000);
    await replay.whole;
    expect(replay.size).toMatchObject({ lines: count, unread: 0 });
    const at = [count, 10, 45_000, 44_990, 20_000, 59_999].map((second) => second * 1000);
    for (const target of at) {
      await replay.control({ at: target });
      const picture = new Picture();
      for (const line of all) {
        if (line.at <= target) picture.apply(cutLine(line, JSON.stringify(line)));
      }
      expect(replay.log.picture.toJSON()).toEqual(picture.toJSON());
    }
    await replay.close();
  });

  it('is shown while it is read, and says how far that is', async () => {
    const all = lines(60_000, 'z'.repeat(200));
    await writeFile(path, [createHeader('test', 0), ...all].map(toLine).join(''));
    const replay = await Replay.open(path);
    await using server = await servePage(replay);
    await using followed = await new OpenPage(server.url).follow();
    await replay.whole;
    await until(() => {
      const { data = '{}' } = followed.tap.events.findLast(({ event }) => event === 'replay') ?? {};
      const position = JSON.parse(data) as object;
      expect(position).toMatchObject({ from: 1000, to: 60_000_000, playing: true });
      expect(position).not.toHaveProperty('read');
    });
    const { data } = followed.tap.events[0] ?? { data: '' };
    expect((JSON.parse(data) as { replay: { read: number } }).replay.read).toBeLessThan(1);
    await server.close();
    await replay.close();
  });

  it('goes to the next call or event that fits a filter, however far that is', async () => {
    const needle = (at: number): RecordedLine[] => [
      { type: 'call', at, server: 'one', call: at, method: 'tools/call', name: 'needle' },
      { type: 'end', at, server: 'one', call: at, outcome: 'tool-error', durationMs: 1 },
    ];
    const hay = lines(60_000);
    const at = [20_000_000, 40_000_000];
    const all = [...hay, ...at.flatMap(needle)].toSorted((a, b) => a.at - b.at);
    await writeFile(path, [createHeader('test', 0), ...all].map(toLine).join(''));
    const replay = await Replay.open(path);
    await using server = await servePage(replay);
    const page = new OpenPage(server.url);
    await using followed = await page.follow();
    const next = 'tool:needle status:error';
    for (const time of at) {
      expect((await page.post('/api/replay', { next })).status).toBe(204);
      await followed.until((picture) => picture.at === time);
      expect(followed.picture.ended.at(-1)?.name).toBe('needle');
    }
    const none = await page.post('/api/replay', { next });
    expect([none.status, none.body]).toEqual([404, expect.stringContaining('Nothing after')]);
    await followed.until((picture) => picture.at === at[1]);
    expect((await page.post('/api/replay', { next: 'kind:notification' })).status).toBe(204);
    await followed.until((picture) => picture.at > 40_000_000);
    expect(followed.picture.at).toBeLessThanOrEqual(40_001_000);
    expect((await page.post('/api/replay', { next: 7 })).status).toBe(400);
    await server.close();
    await replay.close();
  });

  it('is searched no further once it is closed', async () => {
    await writeFile(path, [createHeader('test', 0), ...lines(1000)].map(toLine).join(''));
    const replay = await Replay.open(path);
    const searched = replay.control({ next: 'tool:nothing' });
    await replay.close();
    // At its end, nothing would have been found.
    await searched;
    expect(replay.log.picture.at).toBeLessThan(1_000_000);
  });

  it('is shown as its lines are, whatever else the file has in them', async () => {
    const begin = { type: 'call', server: 'one', method: 'ping', end: {}, progress: 7 };
    const calls = [1, 2, 3].map((call) => JSON.stringify({ ...begin, call, at: 60_000 * call }));
    const text = [toLine(createHeader('test', 0)).trim(), ...calls, ''].join('\r\n');
    await writeFile(path, text.replaceAll(',"method"', ',\r"method"'));
    const replay = await Replay.open(path);
    await using server = await servePage(replay);
    await replay.control({ playing: false });
    await using followed = await new OpenPage(server.url).follow();
    await followed.tap.next('snapshot');
    await replay.control({ speed: 1000, playing: true });
    await followed.until(({ inFlight }) => [...inFlight].length === 3);
    expect(followed.names).toContain('lines');
    expect(followed.picture.toJSON()).toEqual(replay.log.picture.toJSON());
    await server.close();
    await replay.close();
  });

  it('is given out as often as somebody asks', async () => {
    await writeFile(path, [createHeader('test', 0), ...lines(20_000)].map(toLine).join(''));
    const whole = await readFile(path, 'utf8');
    const replay = await Replay.open(path);
    await using server = await servePage(replay);
    const page = new OpenPage(server.url);
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on('warning', onWarning);
    for (let time = 0; time < 12; time++) {
      expect((await page.get('/api/recording')).body === whole).toBe(true);
    }
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
    await server.close();
    await replay.close();
  });

  it('that is closed before it was read through is not read on', async () => {
    await writeFile(path, [createHeader('test', 0), ...lines(60_000)].map(toLine).join(''));
    const replay = await Replay.open(path);
    await replay.close();
    await replay.whole;
    expect(replay.size.lines).toBeLessThan(60_000);
  });

  it('with lines that are none is shown without them; what is no recording is refused', async () => {
    const [line] = lines(1);
    const text = `${toLine(createHeader('test', 0))}{"type":"call"}\n\u0000\n${toLine(line!)}{"type":"no`;
    await writeFile(path, text);
    const replay = await Replay.open(path);
    await replay.whole;
    expect(replay.size).toMatchObject({ lines: 1, unread: 2 });
    await replay.close();
    await writeFile(path, '{"name":"package"}\n');
    await expect(Replay.open(path)).rejects.toThrow(/not a recording/);
    await writeFile(path, '');
    await expect(Replay.open(path)).rejects.toThrow(/not a recording/);
    await expect(Replay.open(directory)).rejects.toThrow(/not a file/);
    await expect(Replay.open(`${path}.no`)).rejects.toThrow(/no such file/);
  });
});

describe('the file of a recording', () => {
  it('drops what the disk does not take in time, and counts it', async () => {
    const file = await RecordingFile.create(path, { onFailure, maxWaitingBytes: 10_000 });
    const texts = lines(1000).map((line) => JSON.stringify(line));
    // Nothing can be written between them.
    for (const text of texts) file.write(text);
    await file.close();
    const [header, ...written] = (await readFile(path, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text) as { type: string; count?: number });
    expect(header).toMatchObject({ type: 'recording' });
    const lost = written.filter(({ type }) => type === 'gap');
    expect(lost).toHaveLength(1);
    expect(written.length - 1 + (lost[0]?.count ?? 0)).toBe(texts.length);
  });

  it('is not laid over another one', async () => {
    await writeFile(path, 'mine');
    await expect(RecordingFile.create(path, { onFailure })).rejects.toThrow(/there already/);
    expect(await readFile(path, 'utf8')).toBe('mine');
  });

  it.skipIf(process.platform === 'win32')(
    'is for its owner, also where one was there',
    async () => {
      await writeFile(path, 'mine');
      await chmod(path, 0o644);
      const file = await RecordingFile.create(path, { onFailure, force: true });
      await file.close();
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect(await readFile(path, 'utf8')).toMatch(/^\{"type":"recording"/);
    },
  );
});

/** A line each second, from the first on. */
function lines(count: number, params: unknown = 1): RecordedLine[] {
  return Array.from({ length: count }, (_, index) => ({
    type: 'notification',
    at: (index + 1) * 1000,
    server: 'one',
    method: 'said',
    params,
  }));
}
