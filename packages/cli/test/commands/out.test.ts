import { mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve, type Serving } from '@longwire/server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { removeFolder } from '../../../../test/support/remove-folder.ts';
import { createDemoServer } from '../../src/demo/server.ts';
import { listenMcp, untilTheEndOfEachTest } from '../fake-servers.ts';
import { run, type Run } from '../run.ts';
import { PIXEL, RAW, serveThings } from '../things-server.ts';

const started = untilTheEndOfEachTest();

let demo: Serving;
let things: Serving;
let cwd: string;
beforeAll(async () => {
  demo = await serve({ create: () => createDemoServer() });
  things = await serveThings();
});
afterAll(() => Promise.all([demo.close(), things.close()]));
beforeEach(async () => void (cwd = await mkdtemp(join(tmpdir(), 'longwire-out-'))));
afterEach(() => removeFolder(cwd));

const chart = (...words: string[]): Promise<Run> =>
  run(['call', demo.sseUrl, 'chart', ...words], { cwd });
const read = (...words: string[]): Promise<Run> => run(['read', things.sseUrl, ...words], { cwd });
const isPng = async (name: string): Promise<boolean> =>
  (await readFile(join(cwd, name))).toString('latin1', 1, 4) === 'PNG';

describe('a call with --out', () => {
  it('saves the one image to a file, and prints the text', async () => {
    const { code, stdout, stderr } = await chart('--out', 'chart.png');
    expect([code, stdout]).toEqual([0, 'A bar chart of 12 values.\n']);
    expect(stderr).toMatch(/^Saved \S+chart\.png \([\d.]+ KiB\)\.$/m);
    expect(await isPng('chart.png')).toBe(true);
  });

  it('saves each thing to a file of its own in a folder, and makes the folder', async () => {
    const { code, stdout } = await chart('--out', 'new/folder/');
    expect([code, stdout]).toEqual([0, '']);
    expect((await readdir(join(cwd, 'new/folder'))).toSorted()).toEqual(['chart.png', 'chart.txt']);
    await chart('--out', 'new/folder');
    expect((await readdir(join(cwd, 'new/folder'))).toSorted()).toEqual([
      'chart-2.png',
      'chart-2.txt',
      'chart.png',
      'chart.txt',
    ]);
  });

  it('saves text where there is nothing else', async () => {
    const words = ['call', demo.sseUrl, 'echo', 'message=hi', '--out', 'said'];
    expect((await run(words, { cwd })).stdout).toBe('');
    expect(await readFile(join(cwd, 'said'), 'utf8')).toBe('hi');
  });

  it('saves, and prints the result, with --json', async () => {
    const { stdout } = await chart('--out', 'chart.png', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ content: [{ type: 'text' }, { type: 'image' }] });
    expect(await isPng('chart.png')).toBe(true);
  });

  it('saves nothing where the tool reports an error', async () => {
    const words = ['call', demo.sseUrl, 'fail', '--out', 'file'];
    const { code, stdout } = await run(words, { cwd });
    expect([code, stdout, await readdir(cwd)]).toEqual([1, 'This tool always fails.\n', []]);
  });

  it('numbers several images', async () => {
    const image = { type: 'image', data: PIXEL, mimeType: 'image/png' };
    const tool = { name: 'two', inputSchema: { type: 'object' } };
    const result = { content: [image, image] };
    const { url } = await started(listenMcp({ tool, result: () => result }));
    const words = ['call', `${url}/sse`, 'two', '--out'];
    expect((await run([...words, 'a.png'], { cwd })).code).toBe(0);
    expect((await readdir(cwd)).toSorted()).toEqual(['a-1.png', 'a-2.png']);
    const { code, stdout, stderr } = await run([...words, '-'], { cwd });
    expect([code, stdout]).toEqual([1, expect.stringContaining('image (image/png')]);
    expect(stderr).toMatch(/2 things came, and one can go to stdout: they are in \S+/);
  });

  it('keeps an image that is no Base64 as it came', async () => {
    const data = 'no Base64 at all \u001b[31m!';
    const tool = { name: 'odd', inputSchema: { type: 'object' } };
    const result = { content: [{ type: 'image', data, mimeType: 'image/png' }] };
    const { url } = await started(listenMcp({ tool, result: () => result }));
    const words = ['call', `${url}/sse`, 'odd'];
    const { stdout } = await run(words, { cwd });
    const [, path = ''] = /is not Base64; saved as it came to (\S+)/.exec(stdout) ?? [];
    expect(await readFile(path, 'utf8')).toBe(data);
    await run([...words, '--out', 'odd'], { cwd });
    expect(await readFile(join(cwd, 'odd'), 'utf8')).toBe(data);
  });

  it.each([
    ['a file that is there', ['--out', 'there'], /there: it is there already/],
    ['a folder that is not', ['--out', 'no/such/file'], /its folder is not there/],
    ['no name', ['--out', ''], /wants the name of a file/],
    ['two documents on stdout', ['--out', '-', '--json'], /both want stdout/],
  ])('is refused before anything is sent for %s', async (_, words, said) => {
    await writeFile(join(cwd, 'there'), 'mine');
    const { code, stderr } = await run(['call', 'http://127.0.0.1:1', 'chart', ...words], { cwd });
    expect([code, stderr]).toEqual([2, expect.stringMatching(said)]);
    expect(await readFile(join(cwd, 'there'), 'utf8')).toBe('mine');
  });
});

describe('a resource with --out', () => {
  it('is saved as it is', async () => {
    await read('things://raw', '--out', 'raw.txt');
    expect(await readFile(join(cwd, 'raw.txt'), 'utf8')).toBe(RAW);
  });

  it('goes to stdout as bytes', async () => {
    const { code, stdout } = await read('things://both', '--out', '-');
    expect([code, stdout]).toEqual([0, expect.stringContaining('PNG\r\n')]);
    expect((await read('things://raw', '--out', '-')).stdout).toBe(RAW);
  });

  it('is named for its URI in a folder, and nothing there is written over', async () => {
    const outside = join(cwd, 'outside');
    await mkdir(join(cwd, 'in'));
    // A link that a server could hope to be followed.
    await symlink(outside, join(cwd, 'in', 'pixel.png'));
    await read('things://pixel.png', '--out', 'in');
    expect((await readdir(join(cwd, 'in'))).toSorted()).toEqual(['pixel-2.png', 'pixel.png']);
    expect(await isPng('in/pixel-2.png')).toBe(true);
    expect(await readdir(cwd)).toEqual(['in']);
  });

  it('is an error of the server where it is no Base64', async () => {
    const { code, stderr } = await read('things://odd-blob', '--out', 'odd');
    expect([code, stderr]).toEqual([1, expect.stringContaining('Invalid Base64 string')]);
    expect(await readdir(cwd)).toEqual([]);
  });
});

describe('a prompt with --out', () => {
  it('is saved message by message in a folder', async () => {
    const words = ['prompt', things.sseUrl, 'review', 'code=x', '--out', 'messages/'];
    expect((await run(words, { cwd })).code).toBe(0);
    expect((await readdir(join(cwd, 'messages'))).toSorted()).toEqual(['review.png', 'review.txt']);
  });
});
