import { McpServer } from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  clientOptionsOf,
  parseConfig,
  type Config,
  type ConfigError,
} from '../../src/config/index.ts';
import { exactPattern } from '../../src/group/name-patterns.ts';
import { createGlob } from '../../src/untrusted/glob.ts';
import { connect } from '../../src/index.ts';

type Keys = Record<string, unknown>;

/** The file of another program with one server that has these keys. */
function fileWith(keys: Keys, rest: Keys = {}): { config: Config; unusable: Map<string, string> } {
  const unusable = new Map<string, string>();
  const text = JSON.stringify({ ...rest, mcpServers: { it: { url: 'http://h', ...keys } } });
  const onUnusable = (name: string, error: ConfigError): void =>
    void unusable.set(name, error.message);
  return { config: parseConfig(text, { file: 'mcp.json', onUnusable }), unusable };
}

/** Which of `read`, `write` and `delete*` the server has. */
function toolsWith(keys: Keys): readonly string[] {
  const [server] = fileWith(keys).config.servers;
  const { include, exclude } = server?.tools ?? {};
  const isIncluded = include === undefined ? () => true : createGlob(include);
  const isExcluded = exclude === undefined ? () => false : createGlob(exclude);
  return ['read', 'write', 'delete*'].filter((name) => isIncluded(name) && !isExcluded(name));
}

describe('what restricts the tools in the file of another program', () => {
  test.each<[string, Keys, string[]]>([
    ['Kiro, Roo Code, Windsurf', { disabledTools: ['write'] }, ['read', 'delete*']],
    ['Gemini', { excludeTools: ['write'], includeTools: ['read', 'write'] }, ['read']],
    ['Codex', { enabled_tools: ['read', 'write'], disabled_tools: ['write'] }, ['read']],
    ['Copilot', { tools: ['read'] }, ['read']],
    ['Copilot, all of them', { tools: ['*'] }, ['read', 'write', 'delete*']],
    ['two lists', { enabledTools: ['read', 'write'], allowedTools: ['write'] }, ['write']],
    ['none at all', { enabledTools: [] }, []],
    ['null is nothing', { enabledTools: null, disabledTools: null }, ['read', 'write', 'delete*']],
    ['a name is no pattern', { includeTools: ['r*', 'delete*'] }, ['delete*']],
    ['nor any other of ours', { includeTools: ['{read,write}', '!(x)', 'rea?', '[r]ead'] }, []],
  ])('%s: %j', (_, keys, tools) => {
    expect(toolsWith(keys)).toEqual(tools);
  });

  test.each<Keys>([
    { enabled: false },
    { disabled: true },
    { isActive: false },
    { disabled: false, enabled: false },
  ])('%j switches the server off', (keys) => {
    expect(fileWith(keys).config.servers).toMatchObject([{ name: 'it', disabled: true }]);
  });

  test.each<Keys>([
    { mcp: { excluded: ['it'] } },
    { mcp: { allowed: ['other'] } },
    { mcp: { allowed: [] } },
    { excludeMCPServers: ['it'] },
    { allowMCPServers: ['other'] },
    { disabledMcpServers: ['it'] },
    { disabledMcpjsonServers: ['it'] },
  ])('so does %j of the file', (rest) => {
    expect(fileWith({}, rest).config.servers).toMatchObject([{ name: 'it', disabled: true }]);
  });

  test('lists of servers switch no other off', () => {
    const rest = { mcp: { allowed: ['it'], excluded: ['other'] } };
    expect(fileWith({}, rest).config.servers).toMatchObject([{ disabled: false }]);
  });

  test.each<Keys>([
    { disabledTools: 'write' },
    { disabledTools: { write: true } },
    { disabledTools: ['write', 5] },
    { disabledTools: [''] },
    { excludeTools: ['delete_*'] },
    { tools: { exclude: ['write'] } },
    { tools: { write: false } },
    { enabledTools: true },
    { enabled: 'false' },
    { disabled: 'yes' },
    { disabled: 1 },
  ])('%j cannot be understood: the server is not used', (keys) => {
    const { config, unusable } = fileWith(keys);
    expect(config.servers).toEqual([]);
    const [key = ''] = Object.keys(keys);
    expect(unusable.get('it')).toMatch(/^mcp\.json:1:\d+: server "it": /);
    expect(unusable.get('it')).toContain(`"${key}"`);
  });

  test('a list of servers that cannot be understood is an error of the file', () => {
    expect(() => fileWith({}, { mcp: { excluded: 'it' } })).toThrow(
      /"mcp\.excluded" restricts the servers, and is not understood/,
    );
  });

  test('what is exact matches nothing else', () => {
    const name = fc.string({
      unit: fc.constantFrom(...String.raw`ab*?{}[]()!+@|\,./-_^$ `.split('')),
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(name, name, (one, other) => {
        const matches = createGlob([exactPattern(one)]);
        return matches(one) && matches(other) === (one === other);
      }),
      { numRuns: 300 },
    );
  });
});

describe('what else is in the file of another program', () => {
  test('is named in one remark', () => {
    const text = JSON.stringify({
      theme: 'dark',
      mcpServers: {
        a: { url: 'http://h', timeout: 5, alwaysAllow: ['x'], description: 'A server' },
        b: { command: 'x', timeout: 6, trust: true, disabledTools: ['y'] },
      },
    });
    expect(parseConfig(text, { file: 'mcp.json' }).remarks).toEqual([
      'mcp.json: not used here: "timeout" of a, b; "alwaysAllow" of a, which lets no call through unasked here; "trust" of b, which lets no call through unasked here',
    ]);
  });

  test('is no remark where there is nothing', () => {
    expect(fileWith({ disabledTools: ['x'] }).config.remarks).toEqual([]);
    expect(parseConfig('{ "servers": {} }').remarks).toEqual([]);
  });
});

describe('a client of a restricted server', () => {
  test('neither lists nor calls what is left out', async () => {
    const server = new McpServer({ name: 'it', version: '1' });
    const ran: string[] = [];
    for (const name of ['read', 'write']) {
      server.registerTool(name, {}, () => {
        ran.push(name);
        return { content: [] };
      });
    }
    const [config] = fileWith({ disabledTools: ['write'] }).config.servers;
    if (config === undefined) throw new Error('there is no server');
    await using client = await connect({ server: () => server }, await clientOptionsOf(config));
    expect((await client.listTools()).map(({ name }) => name)).toEqual(['read']);
    await client.callTool('read');
    await expect(client.callTool('write')).rejects.toMatchObject({
      code: 'unknown-tool',
      certainty: 'not-sent',
      message: expect.stringContaining('the tool write of it is left out in mcp.json:1'),
    });
    await expect(client.sdk.callTool({ name: 'write' })).rejects.toThrow(/left out/);
    expect(ran).toEqual(['read']);
  });

  test('with an empty list has none', async () => {
    const server = new McpServer({ name: 'it', version: '1' });
    server.registerTool('read', {}, () => ({ content: [] }));
    const text = '{ "servers": { "it": { "url": "http://h", "tools": { "include": [] } } } }';
    const [config] = parseConfig(text).servers;
    if (config === undefined) throw new Error('there is no server');
    await using client = await connect({ server: () => server }, await clientOptionsOf(config));
    expect(await client.listTools()).toEqual([]);
  });
});
