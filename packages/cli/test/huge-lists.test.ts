import { afterEach, describe, expect, it } from 'vitest';
import { listenMcp, type FakeServer } from './fake-servers.ts';
import { run, type Run } from './run.ts';

const MIB = 1024 * 1024;

let server: FakeServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

function tool(name: string, properties: object = {}, rest: object = {}): object {
  return { name, description: 'does it', inputSchema: { type: 'object', properties, ...rest } };
}

const numbered = (count: number, name: (at: number) => string): string[] =>
  Array.from({ length: count }, (_, at) => name(at));

const properties = (names: readonly string[]): object =>
  Object.fromEntries(names.map((name) => [name, { type: 'string' }]));

const longName = 'x'.repeat(50_000);

/** The longest that a line of a table may be. */
const maxLine = 5000;

async function longwire(command: string, words: string[], input?: string): Promise<Run> {
  const args = [command, server?.url ?? '', ...words];
  return run(args, input === undefined ? {} : { input });
}

const lists: [what: string, tools: object[]][] = [
  ['one name of a megabyte', [tool('漢'.repeat(MIB / 3)), tool('good')]],
  [
    'two hundred names of 100 kB',
    numbered(200, (at) => `${'x'.repeat(1e5)}${at}`).map((n) => tool(n)),
  ],
  ['twenty thousand tools', numbered(20_000, (at) => `tool_${at}`).map((name) => tool(name))],
  ['a tool of twenty thousand arguments', [tool('wide', properties(numbered(20_000, String)))]],
  ['a description of a megabyte', [{ ...tool('told'), description: 'word '.repeat(MIB / 5) }]],
  [
    'an argument with a name of a megabyte and as many choices',
    [tool('one', { ['n'.repeat(MIB)]: { enum: numbered(100_000, String) } })],
  ],
];

describe.each(lists)('of a server that lists %s', (_what, tools) => {
  it.each<[command: string, words: string[], code: number, input?: string]>([
    ['tools', [], 0],
    ['inspect', [], 0],
    ['call', ['tool_xx'], 2],
    ['call', [longName], 2],
    ['chat', [], 0, '/tools\n/servers\n/quit\n'],
  ])('`%s` says what there is in few words', async (command, words, code, input) => {
    server = await listenMcp({ tool: tools });
    const { code: ended, stdout, stderr } = await longwire(command, words, input);
    expect(stderr).not.toContain('RangeError');
    expect(ended).toBe(code);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThan(maxLine);
    expect(stderr.length).toBeLessThan(maxLine);
  });
});

describe('a call with more arguments than a person writes', () => {
  const names = numbered(20_000, (at) => `argument_${at}`);

  it('names the first that the tool does not name, and counts the others', async () => {
    server = await listenMcp({ tool: tool('loose', properties(names)) });
    const args = JSON.stringify(Object.fromEntries(names.map((name) => [`x${name}x`, 'v'])));
    const { code, stderr } = await longwire('call', ['loose', '--loose', '--args', args]);
    expect(code).toBe(0);
    expect(stderr).toContain('names no argument `xargument_0x`. Did you mean argument_0');
    expect(stderr).toContain('Nor does it name 19990 more of them.');
  });

  it('names the first that the tool does not take', async () => {
    server = await listenMcp({
      tool: tool('strict', properties(names), { additionalProperties: false }),
    });
    const { code, stderr } = await longwire('call', ['strict', `${'z'.repeat(1e5)}=1`]);
    expect(code).toBe(2);
    expect(stderr).toContain('argument_19 and 19980 more');
    expect(stderr.length).toBeLessThan(maxLine);
  });

  it('takes the alternatives of a schema apart only so far', async () => {
    const wide = numbered(2000, (at) => `w${at}`);
    const parts = { oneOf: numbered(2000, String).map((n) => ({ properties: properties([n]) })) };
    server = await listenMcp({
      tool: tool('forked', properties(wide), { allOf: [parts, parts, parts] }),
    });
    expect((await longwire('tools', [])).code).toBe(0);
  });
});
