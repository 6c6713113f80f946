import { serve, type Serving } from '@longwire/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDemoServer } from '../../src/demo/server.ts';
import { run } from '../run.ts';
import { serveThings } from '../things-server.ts';

let demo: Serving;
let things: Serving;
beforeAll(async () => {
  demo = await serve({ create: () => createDemoServer() });
  things = await serveThings();
});
afterAll(() => Promise.all([demo.close(), things.close()]));

describe('the values of an argument', () => {
  it('are printed one a line', async () => {
    const { code, stdout } = await run(['complete', demo.sseUrl, 'market_brief', 'tone=d']);
    expect([code, stdout]).toEqual([0, 'dramatic\ndry\n']);
  });

  it('are the result of the protocol with --json', async () => {
    const words = ['complete', demo.sseUrl, 'market_brief', 'tone=', 'symbols=AAPL', '--json'];
    expect(JSON.parse((await run(words)).stdout)).toMatchObject({
      completion: { values: ['calm', 'cheerful', 'dramatic', 'dry'] },
    });
  });

  it('may be none', async () => {
    const { code, stdout, stderr } = await run(['complete', demo.sseUrl, 'market_brief', 'tone=x']);
    expect([code, stdout, stderr]).toEqual([0, '', 'Nothing begins with that.\n']);
  });

  it.each([
    [['market_brief', 'tune=d'], /has no argument `tune`\. Did you mean tone\?/],
    [
      ['market_breif', 'tone=d'],
      /no prompt and no template "market_breif"\. Did you mean market_brief/,
    ],
    [['market_brief'], /write what is typed so far/],
  ])('%j is usage', async (words, said) => {
    const { code, stderr } = await run(['complete', demo.sseUrl, ...words]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(said)]);
  });

  it('are not there where the server has no completions', async () => {
    const { code, stderr } = await run(['complete', things.sseUrl, 'review', 'style=x']);
    expect([code, stderr]).toEqual([
      2,
      'error: the server completes nothing: it has no completions\n',
    ]);
  });
});
