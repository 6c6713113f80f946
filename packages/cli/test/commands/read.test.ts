import { readFile } from 'node:fs/promises';
import type { Serving } from '@longwire/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../run.ts';
import { PIXEL, RAW, serveThings } from '../things-server.ts';

let serving: Serving;
beforeAll(async () => void (serving = await serveThings()));
afterAll(() => serving.close());

const read = (...words: string[]): ReturnType<typeof run> =>
  run(['read', serving.sseUrl, ...words]);

describe('what a resource holds', () => {
  it('is printed as it is, without a line break of ours', async () => {
    expect(await read('things://raw')).toEqual({ code: 0, stdout: RAW, stderr: '' });
  });

  it('is printed whole when it is 50 MiB', async () => {
    const { code, stdout } = await read('things://large');
    expect([code, stdout.length]).toEqual([0, 50 * 1024 * 1000]);
  });

  it('is the result of the protocol with --json', async () => {
    const { code, stdout } = await read('things://raw', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ contents: [{ uri: 'things://raw', text: RAW }] });
  });

  it('is saved to a file when it is binary', async () => {
    const { code, stdout } = await read('things://pixel.png');
    expect(code).toBe(0);
    const [, path = ''] =
      /^<things:\/\/pixel\.png> resource \(image\/png, \d+ bytes\) saved to (.+)$/m.exec(stdout) ??
      [];
    expect((await readFile(path)).toString('base64')).toBe(PIXEL);
  });

  it('comes under its URIs when it is several contents', async () => {
    const { stdout } = await read('things://both');
    expect(stdout).toMatch(/^<things:\/\/both>\nfirst\n<things:\/\/both> resource \(image\/png/);
  });

  it('may be nothing', async () => {
    const { code, stdout, stderr } = await read('things://none');
    expect([code, stdout, stderr]).toEqual([0, '', 'The resource has no content.\n']);
  });

  it('is found by the name that the server lists it with', async () => {
    expect((await read('raw')).stdout).toBe(RAW);
  });
});

describe('a template', () => {
  const template = 'user://{id}/profile{?lang,full}';

  it.each([
    [['id=7'], 'user://7/profile'],
    [['id=a b/c', 'lang=de'], 'user://a%20b%2Fc/profile?lang=de'],
    [['id=7', 'full=yes', 'lang=de'], 'user://7/profile?lang=de&full=yes'],
  ])('is filled in with %j', async (words, uri) => {
    const { code, stdout, stderr } = await read(template, ...words);
    expect([code, stdout, stderr]).toEqual([0, `profile at ${uri}`, '']);
  });

  it('needs no template where the URI is written out', async () => {
    expect((await read('user://9/profile?lang=de')).stdout).toContain('user://9/profile?lang=de');
  });

  it('takes a variable from stdin', async () => {
    const { stdout } = await run(['read', serving.sseUrl, template, 'id=@-'], { input: 'me' });
    expect(stdout).toBe('profile at user://me/profile');
  });

  it.each([
    [[], /lacks id: write id=… after it/],
    [['lang=de'], /lacks id: write id=… after it/],
    [['id=7', 'lnag=de'], /has no variable `lnag`\. Did you mean lang\?/],
    [['id=7', 'id=8'], /`id` is given twice/],
    [['id:=7'], /`id` is text here: write = in place of :=/],
  ])('with %j is refused before anything is sent', async (words, said) => {
    const { code, stderr } = await run(['read', 'http://127.0.0.1:1', template, ...words]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(said)]);
  });
});

describe('what cannot be read', () => {
  it.each([
    ['things://row', /not found: .*; did you mean things:\/\/raw/],
    ['thing:raw', /; did you mean things:\/\/raw/],
    [
      'postgres://tables/users',
      /not found: .*; the URIs of the server begin with things:\/\/, user:\/\//,
    ],
  ])('%s: the server says no, and near ones are named', async (uri, said) => {
    const { code, stdout, stderr } = await read(uri);
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(said)]);
  });

  it('is one document with --json', async () => {
    const { code, stdout } = await read('things://row', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      error: {
        code: 'server-error',
        certainty: 'answered',
        hint: expect.stringContaining('did you mean things://raw') as string,
      },
    });
  });

  it('is usage where a name is unknown', async () => {
    const { code, stderr } = await read('pixel');
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/no resource "pixel"\. Did you mean/),
    ]);
  });

  it.each([
    [['read'], /no resource given: write it after the server/],
    [['read', 'http://127.0.0.1:1'], /no resource given: write it after the server/],
    [['read', 'http://127.0.0.1:1', 'a:b', 'c:d'], /"c:d" is one word too many/],
    [['read', 'demo://about', 'http://127.0.0.1:1'], /the server comes first/],
    [['read', 'demo://about'], /no server given/],
  ])('%j is usage', async (words, said) => {
    const { code, stderr } = await run(words);
    expect([code, stderr]).toEqual([2, expect.stringMatching(said)]);
  });
});

describe('the server', () => {
  it('is MCP_SERVER_URL where only the resource is written', async () => {
    const env = { MCP_SERVER_URL: serving.sseUrl };
    expect((await run(['read', 'things://raw'], { env })).stdout).toBe(RAW);
    expect((await run(['read', 'raw'], { env })).stdout).toBe(RAW);
  });
});
