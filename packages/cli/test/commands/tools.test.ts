import { stripVTControlCharacters } from 'node:util';
import { serve, type Serving } from '@longwire/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDemoServer } from '../../src/demo/server.ts';
import { listenMcp, untilTheEndOfEachTest } from '../fake-servers.ts';
import { run } from '../run.ts';

const started = untilTheEndOfEachTest();

let demo: Serving;
beforeAll(async () => void (demo = await serve({ create: () => createDemoServer() })));
afterAll(() => demo.close());

describe('all about one tool', () => {
  it('is what it does, its arguments, its result and a call', async () => {
    const { code, stdout } = await run(['tools', demo.sseUrl, 'forecast']);
    expect(code).toBe(0);
    expect(stdout).toBe(`forecast: Weather forecast
Makes up the weather of the next days, always the same for the same city.

The server says: only reads, stays within the server.

Arguments (* required)
  city*: string, at least 1 character
  days: integer, 1 to 14, default 3

Result
  city*: string
  unit*: "celsius"
  days*: object[]
    each: object
      day*: number
      sky*: "sunny" | "cloudy" | "rain" | "wind" | "fog"
      low*: number
      high*: number

A call
  longwire call ${demo.sseUrl} forecast city=text
`);
    const words = ['call', demo.sseUrl, 'forecast', 'city=text'];
    expect((await run(words)).code).toBe(0);
  });

  it('is the tool as the server sent it with --json', async () => {
    const all = JSON.parse((await run(['tools', demo.sseUrl, '--json'])).stdout) as {
      name: string;
    }[];
    const { stdout } = await run(['tools', demo.sseUrl, 'add', '--json']);
    expect(JSON.parse(stdout)).toEqual(all.find(({ name }) => name === 'add'));
  });

  it.each(['describe', 'schema'])('is there for the word %s', async (word) => {
    expect((await run([word, demo.sseUrl, 'add'])).stdout).toMatch(/^add: Add\nAdds two numbers/);
  });

  it('is there without a server where MCP_SERVER_URL is set', async () => {
    const env = { MCP_SERVER_URL: demo.sseUrl };
    const { stdout } = await run(['tools', 'add'], { env });
    expect(stdout).toMatch(/\n {2}longwire call add a=1 b=1\n$/);
  });
});

describe('a choice of tools', () => {
  it.each([
    [['*a*'], ['stream_stock_prices', 'add', 'fail', 'forecast', 'long_task', 'chart']],
    [['{add,echo}'], ['add', 'echo']],
    [
      ['add', 'echo'],
      ['add', 'echo'],
    ],
    [['ad?'], ['add']],
  ])('%j', async (words, names) => {
    const { code, stdout } = await run(['tools', demo.sseUrl, ...words, '--json']);
    const found = (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name);
    expect([code, found.toSorted()]).toEqual([0, names.toSorted()]);
  });

  it.each([
    [['forcast'], /no tool "forcast"\. Did you mean forecast\?/],
    [['x*'], /no tool that matches "x\*"/],
    [['add', 'ech'], /no tool "ech"\. Did you mean echo\?/],
  ])('%j is usage', async (words, said) => {
    const { code, stdout, stderr } = await run(['tools', demo.sseUrl, ...words]);
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(said)]);
  });
});

describe('the list', () => {
  it('marks what only reads, and what destroys', async () => {
    const inputSchema = { type: 'object' };
    const tool = [
      { name: 'wipe', description: 'Wipes.', inputSchema, annotations: { destructiveHint: true } },
      { name: 'look', description: 'Looks.', inputSchema, annotations: { readOnlyHint: true } },
      { name: 'else', description: 'Else.', inputSchema, annotations: 'none' },
    ];
    const { url } = await started(listenMcp({ tool }));
    const { stdout } = await run(['tools', `${url}/sse`]);
    expect(stdout).toMatch(/^wipe {2}\[destructive\] Wipes\./m);
    expect(stdout).toMatch(/^look {2}\[read-only\] Looks\./m);
    expect(stdout).toMatch(/^else {2}Else\./m);
    const colored = await run(['tools', `${url}/sse`], { env: { FORCE_COLOR: '1' } });
    expect(colored.stdout).toContain('wipe  \u001b[33m[destructive]\u001b[39m Wipes.');
    expect(stripVTControlCharacters(colored.stdout)).toBe(stdout);
  });
});
