import { describe, expect, test } from 'vitest';
import { ConfigError, inputVariable, parseConfig } from '../../src/config/index.ts';

/** What is read of a text, and why the rest is not. */
function read(
  file: string,
  value: object | string,
  options: Parameters<typeof parseConfig>[1] = {},
) {
  const unusable: Record<string, string> = {};
  const config = parseConfig(typeof value === 'string' ? value : JSON.stringify(value), {
    env: {},
    ...options,
    file,
    onUnusable: (name, { message }) => (unusable[name] = message),
  });
  const servers = Object.fromEntries(
    config.servers.map(({ name, target, options: { headers }, disabled }) => [
      name,
      disabled ? 'disabled' : headers === undefined ? target : { target, headers },
    ]),
  );
  return { ...config, servers, unusable };
}

describe('Zed', () => {
  test('names commands and URLs in its settings, and no text is a variable', () => {
    const { servers, unusable } = read(
      '/home/it/.config/zed/settings.json',
      `{
        // what else is there
        "theme": "One Dark",
        "context_servers": {
          "local": { "source": "custom", "command": "npx", "args": ["-y", "\${HOME}"], "env": { "A": "b" } },
          "old": { "command": { "path": "node", "args": ["x.js"], "env": {} }, "settings": {} },
          "remote": { "url": "https://h/mcp", "headers": { "Authorization": "Bearer t" } },
          "off": { "enabled": false, "command": "x" },
          "extension": { "source": "extension", "settings": { "key": "k" } },
        },
      }`,
    );
    expect(servers).toEqual({
      local: { command: 'npx', args: ['-y', '${HOME}'], env: { A: 'b' } },
      old: { command: 'node', args: ['x.js'], env: {} },
      remote: { target: 'https://h/mcp', headers: { Authorization: 'Bearer t' } },
      off: 'disabled',
    });
    expect(unusable).toEqual({ extension: expect.stringContaining('has no "url"') as unknown });
  });
});

describe('opencode', () => {
  const local = {
    type: 'local',
    command: ['bun', 'x', 'my-command'],
    environment: { KEY: '{env:MY_KEY}', PLAIN: '${HOME}' },
    enabled: true,
  };
  const remote = {
    type: 'remote',
    url: 'https://h/mcp',
    headers: { Authorization: 'Bearer {env:MY_KEY}' },
    timeout: 5000,
  };

  test.each<[string, object]>([
    ['version 1', { mcp: { local, remote, off: { ...remote, enabled: false } } }],
    [
      'version 2',
      { mcp: { timeout: 5, servers: { local, remote, off: { ...remote, disabled: true } } } },
    ],
  ])('%s', (_, value) => {
    const file = '/w/opencode.jsonc';
    const { servers } = read(file, value, { env: { MY_KEY: 'my-key', HOME: '/h' } });
    expect(servers).toEqual({
      local: {
        command: 'bun',
        args: ['x', 'my-command'],
        env: { KEY: 'my-key', PLAIN: '${HOME}' },
      },
      remote: { target: 'https://h/mcp', headers: { Authorization: 'Bearer my-key' } },
      off: 'disabled',
    });
    expect(read('other.json', value, { env: { MY_KEY: 'k' } }).servers).toHaveProperty('local');
    expect(read(file, value).unusable['remote']).toContain('the variable MY_KEY is not set');
  });

  test('takes no file for a value', () => {
    const value = { mcp: { a: { ...remote, url: 'https://h/{file:~/.ssh/id_rsa}' } } };
    expect(read('opencode.json', value).unusable['a']).toMatch(
      /\$\{file:~\/\.ssh\/id_rsa\} is the content of a file, which is not read here/,
    );
  });

  test('may have a server whose name is a word of Gemini', () => {
    const value = { mcp: { allowed: remote, excluded: local } };
    const { servers } = read('opencode.json', value, { env: { MY_KEY: 'k' } });
    expect(Object.keys(servers)).toEqual(['allowed', 'excluded']);
  });
});

test('Gemini: $NAME is a variable, too', () => {
  const value = {
    mcpServers: {
      it: { command: 'x', args: ['$A', '${A}', 'a$A-$1', '$$A'], env: { KEY: '$A' } },
      off: { httpUrl: 'https://h/', headers: { k: '$NOT_SET' } },
    },
  };
  const { servers, unusable } = read('.gemini/settings.json', value, { env: { A: 'b' } });
  expect(servers).toEqual({
    it: { command: 'x', args: ['b', 'b', 'ab-$1', '$$A'], env: { KEY: 'b' } },
  });
  expect(unusable['off']).toContain('the variable NOT_SET is not set');
  const elsewhere = read('settings.json', value, { env: { A: 'b' } });
  expect(elsewhere.servers['it']).toMatchObject({ env: { KEY: '$A' } });
});

describe("Claude Code's own file", () => {
  const value = {
    numStartups: 7,
    mcpServers: { mine: { url: 'https://user/mcp' }, both: { url: 'https://user/both' } },
    projects: {
      '/work/app': {
        allowedTools: [],
        mcpServers: { both: { type: 'stdio', command: 'node', args: ['${workspaceFolder}'] } },
        disabledMcpServers: ['mine'],
      },
      '/work/other': { mcpServers: { other: { url: 'https://other/mcp' } } },
    },
  };

  test('has servers of the user', () => {
    expect(read('/h/.claude.json', value).servers).toEqual({
      mine: 'https://user/mcp',
      both: 'https://user/both',
    });
  });

  test.each(['/work/app', '/work/app/packages/a'])('has those of a project, too: %s', (project) => {
    expect(read('/h/.claude.json', value, { project }).servers).toEqual({
      mine: 'disabled',
      both: { command: 'node', args: [project], env: {} },
    });
  });

  test('may have those of projects alone', () => {
    const { projects } = value;
    expect(read('.claude.json', { projects }, { project: '/work/other' }).servers).toEqual({
      other: 'https://other/mcp',
    });
    expect(read('.claude.json', { projects }).servers).toEqual({});
  });
});

describe('${input:ID} of VS Code', () => {
  const value = {
    inputs: [
      { type: 'promptString', id: 'the-key', description: 'The key', password: true },
      {
        type: 'pickString',
        id: 'where',
        options: ['eu', { label: 'US', value: 'us' }],
        default: 'eu',
      },
      { type: 'promptString' },
      'odd',
    ],
    servers: {
      it: { type: 'http', url: 'https://${input:where}/', headers: { k: '${input:the-key}' } },
    },
  };
  const file = '/w/.vscode/mcp.json';

  test('is what the file asks for', () => {
    expect(read(file, value).inputs).toEqual([
      { id: 'the-key', description: 'The key', isSecret: true },
      { id: 'where', description: 'where', isSecret: false, options: ['eu', 'us'], default: 'eu' },
    ]);
    const settings = { mcp: value };
    expect(read('settings.json', settings).inputs).toHaveLength(2);
    expect(read('longwire.json', { servers: {} }).inputs).toEqual([]);
  });

  test('is the answer, else the variable for it', () => {
    const inputs = { 'the-key': 'key-1', where: 'h' };
    const expected = { it: { target: 'https://h/', headers: { k: 'key-1' } } };
    expect(read(file, value, { inputs }).servers).toEqual(expected);
    const env = { LONGWIRE_INPUT_THE_KEY: 'key-1', LONGWIRE_INPUT_WHERE: 'h' };
    expect(read(file, value, { env }).servers).toEqual(expected);
    expect(inputVariable('the-key')).toBe('LONGWIRE_INPUT_THE_KEY');
  });

  test('without an answer is what the server lacks', () => {
    const problems: (string | undefined)[] = [];
    const onUnusable = (_: string, error: ConfigError): void =>
      void problems.push(...error.problems.map(({ variable }) => variable));
    const { servers } = parseConfig(JSON.stringify(value), { file, env: {}, onUnusable });
    expect(servers).toEqual([]);
    expect(problems).toEqual(['input:where', 'input:the-key']);
  });

  test('is none in a longwire.json', () => {
    const text = { servers: { it: { url: 'https://${input:where}/' } } };
    expect(read('longwire.json', text, { inputs: { where: 'h' } }).unusable['it']).toContain(
      'set a variable such as WHERE',
    );
  });
});

test('${workspaceFolder} is the project, where that is said', () => {
  const value = { mcpServers: { it: { command: 'x', args: ['${workspaceFolder}'], cwd: 'sub' } } };
  const [server] = parseConfig(JSON.stringify(value), {
    file: '/h/.cursor/mcp.json',
    project: '/work/app',
  }).servers;
  // A relative path starts where the file is: the project must not decide what is read.
  expect(server?.target).toMatchObject({ args: ['/work/app'], cwd: '/h/sub' });
});

describe('a file that is known to be of another program', () => {
  test.each([
    ['settings.json', '{ "theme": "x", "profiles": 7 }'],
    ['config.toml', 'model = "x"'],
    ['.claude.json', '{ "numStartups": 1 }'],
    ['settings.json', '{ "mcp": { "allowed": ["a"] } }'],
  ])('has none where it names none: %s %s', (file, text) => {
    expect(read(file, text, { foreign: true }).servers).toEqual({});
  });

  test('is read as one, also where it looks like a longwire.json', () => {
    const text = { servers: { a: { url: 'https://h/', more: 1 } } };
    expect(read('mcp.json', text, { foreign: true }).servers).toEqual({ a: 'https://h/' });
    expect(read('mcp.json', text).unusable).toHaveProperty('a');
  });
});
