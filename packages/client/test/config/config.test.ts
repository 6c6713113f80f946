import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ConfigError,
  loadConfig,
  parseConfig,
  type Config,
  type ConfigOptions,
} from '../../src/config/index.ts';
import { LongwireError } from '../../src/index.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'longwire-config-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** One server as the configuration of that text has it. */
function serverOf(server: object, options: ConfigOptions = {}): Config['servers'][number] {
  const [first] = parseConfig(JSON.stringify({ servers: { it: server } }), options).servers;
  if (first === undefined) throw new Error('there is no server');
  return first;
}

/** What is wrong with a text. */
function errorOf(text: string, options: Parameters<typeof parseConfig>[1] = {}): LongwireError {
  try {
    parseConfig(text, options);
  } catch (error) {
    expect(error).toBeInstanceOf(LongwireError);
    expect(error).toMatchObject({ code: 'config', certainty: 'not-sent' });
    return error as LongwireError;
  }
  throw new Error('nothing is wrong with it');
}

describe('a longwire.json', () => {
  test('has servers with all that a client takes', () => {
    const text = `{
      "$schema": "./node_modules/@longwire/client/longwire.schema.json",
      // a server at a URL
      "servers": {
        "market": {
          "url": "https://market.example/mcp",
          "headers": { "Authorization": "Bearer \${TOKEN}" },
          "timeouts": { "connectMs": 2000, "callMs": 3000, "deadlineMs": 4000 },
          "retry": { "maxAttempts": 2, "trustHints": false },
          "heartbeat": { "silenceMs": 1000 },
          "limits": { "maxInFlight": 3 },
          "transport": "sse",
          "tools": { "include": ["get_*"], "override": { "get_x": { "name": "x" } } },
          "middleware": ["logging", { "name": "cache", "ttlMs": 5 }],
        },
        "files": { "command": "node", "args": ["\${HOME}/s.js"], "env": { "A": "b" }, "cwd": "sub" },
      },
    }`;
    const env = { TOKEN: 'secret', HOME: '/home/it', OTHER: 'x' };
    expect(parseConfig(text, { file: '/etc/a/longwire.json', env }).servers).toEqual([
      {
        name: 'market',
        place: '/etc/a/longwire.json:5',
        target: 'https://market.example/mcp',
        options: {
          name: 'market',
          headers: { Authorization: 'Bearer secret' },
          timeouts: { connectMs: 2000, callMs: 3000, deadlineMs: 4000 },
          retry: { maxAttempts: 2, trustHints: false },
          heartbeat: { silenceMs: 1000 },
          limits: { maxInFlight: 3 },
          transport: 'sse',
        },
        middleware: [
          { name: 'logging', options: {} },
          { name: 'cache', options: { ttlMs: 5 } },
        ],
        network: {},
        tools: { include: ['get_*'], override: { get_x: { name: 'x' } } },
        disabled: false,
        variables: ['TOKEN'],
        written: expect.objectContaining({
          headers: { Authorization: 'Bearer ${TOKEN}' },
        }) as unknown,
      },
      {
        name: 'files',
        place: '/etc/a/longwire.json:16',
        target: { command: 'node', args: ['/home/it/s.js'], env: { A: 'b' }, cwd: '/etc/a/sub' },
        options: { name: 'files' },
        middleware: [],
        network: {},
        tools: {},
        disabled: false,
        variables: ['HOME'],
        written: { command: 'node', args: ['${HOME}/s.js'], env: { A: 'b' }, cwd: 'sub' },
      },
    ]);
  });

  test('is read from a file, a byte order mark included', () => {
    const path = join(directory, 'longwire.json');
    writeFileSync(path, '\uFEFF{ "servers": { "a": { "url": "http://h" } } }');
    expect(loadConfig(path).servers).toMatchObject([{ name: 'a', place: `${path}:1` }]);
  });

  test.each([
    ['none.json', /could not read .*none\.json: there is no such file/],
    ['.', /could not read .*: it is a directory/],
  ])('%s cannot be read', (name, message) => {
    expect(() => loadConfig(join(directory, name))).toThrow(message);
  });

  test('with a server that is disabled, whose variables are left alone', () => {
    const server = serverOf({ url: '${NOT_SET}', disabled: true }, { env: {} });
    expect(server).toMatchObject({ target: '${NOT_SET}', disabled: true, variables: [] });
  });
});

describe('variables', () => {
  const env = { SET: 'value', EMPTY: '', HOST: 'h' };

  test.each([
    ['${SET}', 'value'],
    ['a${SET}b${HOST}', 'avaluebh'],
    ['${env:SET}', 'value'],
    ['${SET:-other}', 'value'],
    ['${UNSET:-other}', 'other'],
    ['${EMPTY:-other}', 'other'],
    ['${UNSET:-${HOST}:${ALSO_UNSET:-80}}', 'h:80'],
    ['${UNSET:-}', ''],
    ['${EMPTY}', ''],
    ['$${SET} and $$ and $SET', '${SET} and $$ and $SET'],
    ['${SET:-$${x}}', 'value'],
    ['plain {}', 'plain {}'],
  ])('%s becomes %s', (written, expected) => {
    const { target } = serverOf({ command: 'x', args: [written] }, { env });
    expect(target).toEqual({ command: 'x', args: [expected] });
  });

  test.each([
    ['${UNSET}', 'the variable UNSET is not set: set it, or write a default: ${UNSET:-…}'],
    ['Bearer ${UNSET}', 'the variable UNSET is not set'],
    ['Bearer ${EMPTY}', 'the variable EMPTY is empty: set it, or write a default'],
    ['Bearer ${UNSET:-}', 'the variable UNSET is not set, and its default is empty: set it'],
    ['Bearer ${UNSET:-${EMPTY}}', 'the variable UNSET is not set, and its default is empty'],
    ['Bearer ${UNSET:-${ALSO_UNSET}}', 'the variable ALSO_UNSET is not set'],
    ['${toString}', 'the variable toString is not set'],
    ['${input:api-key}', 'set a variable such as API_KEY, and write ${API_KEY} instead'],
    ['${SET', '"${" without "}"'],
    ['${}', '${} is no variable'],
    ['${command:x}', '${command:x} is no variable'],
  ])('%s in a header is an error that says where', (written, message) => {
    const text = `{ "servers": {\n  "it": {\n    "url": "http://h",\n    "headers": { "authorization":\n      ${JSON.stringify(written)} } } } }`;
    const { message: told } = errorOf(text, { env });
    expect(told).toContain(
      'longwire.json:5:7: "headers.authorization" of server "it": ' +
        (message.startsWith('the') ? message : ''),
    );
    expect(told).toContain(message);
    expect(told).not.toContain('\n');
  });

  test('whose value is empty make no empty header, and what is written empty is none', () => {
    const text = '{ "servers": { "it": { "url": "http://h", "headers": { "x-key": " " } } } }';
    expect(errorOf(text).message).toContain('server "it" has an empty header "x-key"');
  });

  test('that no header may hold are an error that does not show them', () => {
    const text = '{ "servers": { "it": { "url": "http://h", "headers": { "x-key": "${KEY}" } } } }';
    const { message } = errorOf(text, { env: { KEY: 'sec\nret' } });
    expect(message).toMatch(/1:56: server "it" has a wrong header: the value of x-key/);
    expect(message).not.toContain('ret"');
  });

  test('of one server trouble no other, where that is wanted', () => {
    const servers = {
      a: { url: 'http://h', headers: { x: '${UNSET}' } },
      b: { url: 'http://h' },
      c: { url: 'http://h', command: 'x' },
    };
    const unusable: Record<string, string> = {};
    const { servers: usable } = parseConfig(JSON.stringify({ servers }), {
      env: {},
      onUnusable: (name, { message }) => (unusable[name] = message),
    });
    expect(usable.map(({ name }) => name)).toEqual(['b']);
    expect(unusable).toEqual({
      a: expect.stringContaining('UNSET is not set') as string,
      c: expect.stringContaining('has both "url" and "command"') as string,
    });
  });
});

describe('a mistake', () => {
  test('in a key is told with file, line and the nearest known key', () => {
    const text =
      '{\n  "servers": {\n    "files": {\n      "args": [],\n    "comand": "node"\n} } }';
    const error = errorOf(text, { file: 'my/longwire.json' });
    expect(error.message).toBe(
      'my/longwire.json:5:5: unknown key "comand" in server "files": did you mean "command"?',
    );
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).problems).toEqual([
      {
        file: 'my/longwire.json',
        line: 5,
        column: 5,
        message: 'unknown key "comand" in server "files": did you mean "command"?',
      },
    ]);
  });

  test.each<[string, string]>([
    ['{ "severs": {} }', '1:3: unknown key "severs" in the file: did you mean "servers"?'],
    ['{ "servers": {}, "zzz": 1 }', 'unknown key "zzz" in the file; there are $schema, servers'],
    [
      '{ "servers": { "a": { "url": "http://h", "timeouts": { "conectMs": 1 } } } }',
      'unknown key "conectMs" in "timeouts" of server "a": did you mean "connectMs"?',
    ],
    [
      '{ "servers": {}, "profiles": { "p": { "servers": { "a": { "ulr": null } } } } }',
      'unknown key "ulr" in server "a" in profile "p": did you mean "url"?',
    ],
    [
      '{ "servers": { "a": { "url": 5 } } }',
      '1:30: "url" of server "a": expected a string, found a number',
    ],
    ['{ "servers": { "a": { "url": null } } }', 'expected a string, found null'],
    ['{ "servers": { "a": [] } }', 'server "a": expected an object, found an array'],
    [
      '{ "servers": { "a": { "command": "" } } }',
      '"command" of server "a": expected text, found nothing',
    ],
    [
      '{ "servers": { "a": { "command": "x", "args": "y" } } }',
      '"args" of server "a": expected an array, found a string',
    ],
    [
      '{ "servers": { "a": { "url": "http://h", "transport": "see" } } }',
      'expected one of sse, streamable-http, stdio, tool-events; did you mean sse?',
    ],
    [
      '{ "servers": { "a": { "url": "http://h", "retry": { "firstDelayMs": 0 } } } }',
      'expected a number above 0',
    ],
    [
      '{ "servers": { "a": { "url": "http://h", "middleware": [1] } } }',
      'expected the name of a middleware, or an object with its "name"',
    ],
    ['{ "servers": { "a": {} } }', '1:16: server "a" has no "url" and no "command"'],
    [
      '{ "servers": { "a": { "url": "h/mcp" } } }',
      'server "a" has a wrong "url": "h/mcp" is not a URL such as',
    ],
    ['{ "servers": { "a": { "url": "ftp://u:p@h" } } }', '"ftp://h" is not an http or https URL'],
    [
      '{ "servers": { "a": { "url": "http://h", "command": "x" } } }',
      'has both "url" and "command"',
    ],
    [
      '{ "servers": { "a": { "url": "http://h", "cwd": "x" } } }',
      'is at a URL: "cwd" is for a command',
    ],
    [
      '{ "servers": { "a": { "url": "http://h", "transport": "stdio" } } }',
      'stdio is for a command',
    ],
    [
      '{ "servers": { "a": { "command": "x", "transport": "sse" } } }',
      'spoken to by stdio and not by sse',
    ],
    ['{ "servers": { "a": { "command": "x", "headers": {} } } }', 'takes "env" and no "headers"'],
    [
      '{ "servers": { "a": { "url": "http://h", "headers": { "Host": "x" } } } }',
      'server "a" has a wrong header: Host is set by the HTTP layer',
    ],
    ['{ "servers": { "@all": { "url": "http://h" } } }', 'server "@all" has a name that is none'],
    ['{ "servers": { "http://h": { "url": "http://h" } } }', 'has a name that is none'],
    ['{}', 'the file has no "servers"'],
    ['[]', '1:1: the file: expected an object, found an array'],
    ['', '1:1: '],
    ['{ "servers": {\n "a" {} } }', '2:6: not JSON: expected a colon here'],
    ['{ "servers": {', 'not JSON: expected a close brace here'],
    ['{ "servers": {} } {}', '1:19: not JSON: expected its end here'],
    ['{ "servers": { a: 1 } }', 'not JSON: '],
  ])('%s: %s', (text, message) => {
    const { message: told } = errorOf(text);
    expect(told).toContain(message);
    expect(told).toMatch(/^longwire\.json:\d+:\d+: [^\n]+$/);
  });

  test('counts what it is told of the machine among its variables', () => {
    const text = '{"mcpServers": {"a": {"url": "http://h/?at=${userHome}"}}}';
    const env = { HOME: '/home/somebody', USERPROFILE: '/home/somebody' };
    const [server] = parseConfig(text, { file: 'mcp.json', env }).servers;
    expect(server?.variables).toEqual(['userHome']);
  });

  test('that makes a name twice is told with both lines', () => {
    const text =
      '{ "servers": {\r\n"a": { "url": "http://h" },\r\n"b": { "url": "http://h" },\r\n"a": { "url": "http://i" } } }';
    expect(errorOf(text).message).toBe(
      'longwire.json:4:1: server "a" is there twice, on lines 2 and 4: rename one',
    );
  });

  test('of many is told with all others, in the order of the file, up to ten', () => {
    const text = `{ "servers": {\n${Array.from({ length: 12 }, (_, index) => `"s${index}": { "ulr": "x" }`).join(',\n')} } }`;
    const error = errorOf(text) as ConfigError;
    expect(error.problems.map(({ line }) => line)).toEqual([
      2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
    ]);
    const lines = error.message.split('\n');
    expect(lines[0]).toBe('longwire.json has 12 problems:');
    expect(lines).toHaveLength(12);
    expect(lines.at(-1)).toBe('  and 2 more');
  });
});

describe('a profile', () => {
  const text = JSON.stringify({
    servers: {
      market: { url: 'http://dev', headers: { 'x-a': '1', 'x-b': '2' }, retry: { maxAttempts: 1 } },
      files: { command: 'x', args: ['a', 'b'] },
      extra: { url: 'http://e' },
    },
    profiles: {
      production: {
        servers: {
          market: { url: 'https://prod', headers: { 'x-b': null, 'x-c': '${C}' }, retry: null },
          files: { args: ['c'] },
          extra: null,
          more: { url: 'http://more' },
        },
      },
      staging: { servers: {} },
    },
  });

  test('is laid over the servers; null takes away, lists are replaced', () => {
    const { servers } = parseConfig(text, { profile: 'production', env: { C: '3' } });
    expect(servers.map(({ name, target, options }) => ({ name, target, options }))).toEqual([
      {
        name: 'market',
        target: 'https://prod',
        options: { name: 'market', headers: { 'x-a': '1', 'x-c': '3' } },
      },
      { name: 'files', target: { command: 'x', args: ['c'] }, options: { name: 'files' } },
      { name: 'more', target: 'http://more', options: { name: 'more' } },
    ]);
  });

  test('that is not asked for changes nothing, nor do its variables', () => {
    const { servers } = parseConfig(text, { env: {} });
    expect(servers.map(({ name }) => name)).toEqual(['market', 'files', 'extra']);
    expect(servers[0]?.target).toBe('http://dev');
    expect(parseConfig(text, { env: {}, profile: 'staging' }).servers).toEqual(servers);
  });

  test('that is not there is an error which names those that are', () => {
    expect(errorOf(text, { profile: 'prodution' }).message).toBe(
      'longwire.json has no profile "prodution": there are production, staging; did you mean "production"?',
    );
    const { message } = errorOf('{ "mcpServers": {} }', { profile: 'p', file: 'mcp.json' });
    expect(message).toBe('mcp.json has no profile "p": it has none');
  });
});

describe('the file of another program', () => {
  test('Claude Desktop, Claude Code, Cursor: mcpServers', () => {
    const text = JSON.stringify({
      theme: 'dark',
      mcpServers: {
        files: {
          command: 'npx',
          args: ['-y', 'server', '${ROOT:-/tmp}'],
          env: { A: '${A}', N: 1 },
        },
        http: { type: 'http', url: 'https://h/mcp', headers: { Authorization: 'Bearer ${A}' } },
        sse: { type: 'sse', url: 'https://h/events', alwaysAllow: ['x'] },
        'streamable http': { type: 'streamable-http', url: 'https://h/x', disabled: true },
      },
    });
    const { servers } = parseConfig(text, { file: 'claude.json', env: { A: 'a' } });
    expect(
      servers.map(({ name, target, options, disabled }) => [
        name,
        target,
        options.headers,
        options.transport,
        disabled,
      ]),
    ).toEqual([
      [
        'files',
        { command: 'npx', args: ['-y', 'server', '/tmp'], env: { A: 'a', N: '1' } },
        undefined,
        undefined,
        false,
      ],
      ['http', 'https://h/mcp', { Authorization: 'Bearer a' }, undefined, false],
      ['sse', 'https://h/events', undefined, undefined, false],
      ['streamable http', 'https://h/x', undefined, undefined, true],
    ]);
  });

  test('VS Code: servers with type or inputs, envFile, workspaceFolder', () => {
    writeFileSync(join(directory, 'it.env'), 'A=from file\nB=from file\n');
    const text = `{
      // comments are allowed there
      "inputs": [{ "type": "promptString", "id": "key", "password": true }],
      "servers": {
        "files": {
          "type": "stdio", "command": "node", "args": ["\${workspaceFolder}/s.js"],
          "env": { "A": "\${env:A}", "C": null }, "envFile": "\${env:DIR}/it.env", "dev": {}
        },
        "web": { "url": "http://h" },
      },
    }`;
    const env = { A: 'a', DIR: directory };
    const { servers } = parseConfig(text, { file: '/work/.vscode/mcp.json', env });
    expect(servers.map(({ target }) => target)).toEqual([
      { command: 'node', args: ['/work/s.js'], env: { A: 'a', B: 'from file' } },
      'http://h',
    ]);
  });

  test.each<[object, string]>([
    [{ mcpServers: [] }, '"mcpServers": expected an object'],
    [
      { mcpServers: { a: { command: 5 } } },
      '"command" of server "a": expected a string, found a number',
    ],
    [{ mcpServers: { a: {} } }, 'server "a" has no "url" and no "command"'],
    [
      { inputs: [], servers: { a: { command: 'x', args: ['${input:the key}'] } } },
      'set LONGWIRE_INPUT_THE_KEY',
    ],
    [
      { inputs: [], servers: { a: { command: 'x', envFile: '/no/such' } } },
      'server "a": could not read /no/such: there is no such file',
    ],
  ])('%j: %s', (value, message) => {
    expect(errorOf(JSON.stringify(value), { file: 'mcp.json' }).message).toContain(message);
  });

  test('is not what is named longwire.json, whose mistakes are told', () => {
    const text = '{ "servers": { "a": { "type": "http", "url": "http://h" } } }';
    expect(errorOf(text).message).toContain('unknown key "type" in server "a"');
    expect(parseConfig(text, { file: 'mcp.json' }).servers).toHaveLength(1);
  });
});

describe('one wrong server', () => {
  /** What is read of a text, and what is wrong with the servers that cannot be used. */
  function lenient(text: string, options: Parameters<typeof parseConfig>[1] = {}) {
    const unusable = new Map<string, ConfigError>();
    const onUnusable = (name: string, error: ConfigError) => void unusable.set(name, error);
    const { servers, remarks } = parseConfig(text, { ...options, onUnusable });
    return {
      names: servers.map(({ name }) => name),
      unusable: Object.fromEntries([...unusable].map(([name, { message }]) => [name, message])),
      problems: [...unusable.values()].flatMap((error) => error.problems),
      remarks,
    };
  }
  const good = '"good": { "url": "http://h" }';

  test.each<[string, string]>([
    ['"bad": { "ulr": "http://h" }', 'unknown key "ulr" in server "bad": did you mean "url"?'],
    ['"bad": 7', 'server "bad": expected an object, found a number'],
    ['"bad": { "url": 7 }', '"url" of server "bad": expected a string, found a number'],
    ['"bad": { "url": "h" }', 'server "bad" has a wrong "url"'],
    ['"bad": { "url": "http://h" }, "bad": {}', 'server "bad" is there twice, on lines 1 and 1'],
    ['"bad": { "url": "http://h", "url": "http://i" }', '"url" is there twice'],
    ['"bad": { "url": "http://h", "retry": { "maxAttempts": -1 } }', 'expected a number from 0'],
    ['"bad": { "url": "${NO}" }', 'the variable NO is not set'],
  ])('of a longwire.json fails alone: %s', (bad, message) => {
    const text = `{ "servers": { ${bad}, ${good} } }`;
    const read = lenient(text, { env: {} });
    expect(read.names).toEqual(['good']);
    expect(read.unusable).toEqual({ bad: expect.stringContaining(message) });
    expect(read.problems.map(({ variable }) => variable)).toEqual([
      message.startsWith('the variable') ? 'NO' : undefined,
    ]);
    // Without somebody to tell of it, it is an error.
    expect(errorOf(text, { env: {} }).message).toContain(message);
  });

  test.each<[string, string]>([
    ['"bad": { "command": 5 }', '"command" of server "bad": expected a string, found a number'],
    ['"bad": []', 'server "bad": expected an object, found an array'],
    ['"bad": { "command": "x", "envFile": "/no/such" }', 'could not read /no/such'],
    ['"bad": { "command": "x", "command": "y" }', '"command" is there twice'],
    ['"bad": { "command": "x", "disabledTools": "y" }', '"disabledTools" restricts the server'],
  ])('of another program fails alone: %s', (bad, message) => {
    const read = lenient(`{ "a": 1, "a": 2, "mcpServers": { ${bad}, ${good} } }`, {
      file: '.mcp.json',
    });
    expect(read).toMatchObject({
      names: ['good'],
      unusable: { bad: expect.stringContaining(message) },
    });
  });

  test('in a profile fails where the profile is asked for, and is a remark elsewhere', () => {
    const text = `{
      "servers": { ${good}, "other": { "url": "http://h" } },
      "profiles": { "p": { "servers": { "good": { "ulr": "x" } } }, "q": { "servers": {} } }
    }`;
    expect(lenient(text, { profile: 'p' })).toMatchObject({
      names: ['other'],
      unusable: { good: expect.stringContaining('"ulr" in server "good" in profile "p"') },
      remarks: [],
    });
    expect(lenient(text, { profile: 'q' })).toMatchObject({
      names: ['good', 'other'],
      unusable: {},
      remarks: [expect.stringContaining('"ulr" in server "good" in profile "p"')],
    });
  });

  test.each([
    `{ "severs": {}, "servers": { ${good} } }`,
    `{ "servers": { ${good} }, "servers": {} }`,
    `{ "servers": { "__proto__": {}, ${good} } }`,
    `{ "servers": { ${good} `,
  ])('is not what is wrong with the file: %s', (text) => {
    expect(() => lenient(text)).toThrow(ConfigError);
  });
});

describe('variables of other programs', () => {
  const read = (file: string, value: string, env: Record<string, string> = {}) => {
    const text = JSON.stringify({ mcpServers: { it: { command: 'x', args: [value] } } });
    const [server] = parseConfig(text, { file, env, cwd: '/where' }).servers;
    return typeof server?.target === 'object' ? server.target.args?.[0] : undefined;
  };

  test.each([
    ['${workspaceFolder}', '/work/app'],
    ['${workspaceFolderBasename}', 'app'],
    ['a${pathSeparator}b${/}c', `a${sep}b${sep}c`],
    ['${cwd}', resolve('/where')],
    ['${userHome}', '/home/it'],
    ['${env:TOKEN}', 'secret'],
    ['${TOKEN}', 'secret'],
    ['${env:NO:-else}', 'else'],
  ])('%s is %s', (value, expected) => {
    const env = { HOME: '/home/it', TOKEN: 'secret' };
    expect(read('/work/app/.cursor/mcp.json', value, env)).toBe(expected);
  });

  test('none are in a longwire.json', () => {
    for (const name of ['/', 'workspaceFolderBasename', 'cwd']) {
      const text = JSON.stringify({ servers: { it: { command: 'x', args: [`\${${name}}`] } } });
      expect(() => parseConfig(text, { env: {} })).toThrow(
        name === '/' ? 'no variable' : 'not set',
      );
    }
  });

  test.each(['${TOKEN}', '$${TOKEN}', '${', '${input:key}', '${workspaceFolder}', '$$${A}'])(
    "in Claude Desktop's own file %s is what it is",
    (value) => {
      const env = { TOKEN: 'secret', A: 'a' };
      expect(read('/h/claude_desktop_config.json', value, env)).toBe(value);
    },
  );
});

describe('files of more programs', () => {
  const targets = (file: string, text: string, env: Record<string, string> = {}) =>
    parseConfig(text, { file, env }).servers.map(({ name, target, options, tools, disabled }) => ({
      name,
      target,
      ...(options.headers !== undefined && { headers: options.headers }),
      ...(Object.keys(tools).length > 0 && { tools }),
      ...(disabled && { disabled }),
    }));

  test('Windsurf: serverUrl; Gemini: httpUrl', () => {
    const text = JSON.stringify({
      mcpServers: {
        windsurf: { serverUrl: 'https://w/mcp', headers: { a: 'b' } },
        gemini: { httpUrl: 'https://g/mcp', url: 'https://g/sse' },
      },
    });
    expect(targets('mcp_config.json', text)).toEqual([
      { name: 'windsurf', target: 'https://w/mcp', headers: { a: 'b' } },
      { name: 'gemini', target: 'https://g/mcp' },
    ]);
    const wrong = '{ "mcpServers": { "a": { "serverUrl": 7 } } }';
    expect(errorOf(wrong, { file: 'x.json' }).message).toContain(
      '1:39: "serverUrl" of server "a": expected a string, found a number',
    );
  });

  test.each([
    '{ /* mine */ "editor.tabSize": 2, "mcp": { "inputs": [], "servers": {\n"a": { "url": "http://h" }, } }, }',
    '{ "[json]": {}, "mcp.servers": {\n"a": { "url": "http://h" } }, "x": 1, "x": 2 }',
  ])('VS Code, in its settings: %s', (text) => {
    expect(targets('/home/it/.config/Code/User/settings.json', text)).toEqual([
      { name: 'a', target: 'http://h' },
    ]);
    expect(parseConfig(text, { file: 'settings.json' }).servers[0]?.place).toBe('settings.json:2');
    const wrong = text.replace('"http://h"', '5');
    expect(errorOf(wrong, { file: 'settings.json' }).message).toBe(
      'settings.json:2:15: "url" of server "a": expected a string, found a number',
    );
  });

  const codex = `
model = "gpt"
[mcp_servers.files]
command = "npx"
args = ["-y", "\${HOME}/x"]
env = { "A" = "\${B}" }
env_vars = ["TOKEN", "NOT_SET", { name = "REGION" }]
enabled_tools = ["read"]
startup_timeout_sec = 20

[ mcp_servers."the web" ]
url = "https://h/mcp"
bearer_token_env_var = "TOKEN"
http_headers = { "X-A" = "a", "X-B" = "\${b}" }
env_http_headers = { "X-Region" = "REGION" }
enabled = false

[mcp_servers.files.tools.x]
approval_mode = "approve"
`;

  test('Codex: TOML, in which no text is a variable', () => {
    const env = { TOKEN: 'secret', REGION: 'eu', HOME: '/h', B: 'b' };
    const [files] = targets('/h/.codex/config.toml', codex, env);
    expect(files).toEqual({
      name: 'files',
      target: {
        command: 'npx',
        args: ['-y', '${HOME}/x'],
        env: { A: '${B}', TOKEN: 'secret', REGION: 'eu' },
      },
      tools: { include: ['read'] },
    });
    const on = codex.replace('enabled = false', '');
    expect(targets('config.toml', on, env)[1]).toEqual({
      name: 'the web',
      target: 'https://h/mcp',
      headers: { 'X-A': 'a', 'X-B': '${b}', 'X-Region': 'eu', Authorization: 'Bearer secret' },
    });
    const { servers, remarks } = parseConfig(codex, { file: 'config.toml', env });
    expect(servers.map(({ place, disabled }) => [place, disabled])).toEqual([
      ['config.toml:3', false],
      ['config.toml:11', true],
    ]);
    expect(servers[0]?.variables).toEqual(['TOKEN', 'REGION']);
    expect(remarks).toEqual([
      expect.stringMatching(/"startup_timeout_sec" of .*files.*; "tools\.\*" of .*files/),
    ]);
  });

  test.each<[string, string]>([
    ['[mcp_servers.a]\ncommand = "x\n', 'config.toml:2:'],
    [
      '[mcp_servers.a]\ncommand = 5\n',
      'config.toml:1:1: "command" of server "a": expected a string',
    ],
    [
      '[mcp_servers.a]\nurl = "https://h"\nbearer_token_env_var = "NO"\n',
      'the variable NO is not set',
    ],
    ['model = "x"\n', '"mcp_servers": expected an object with the servers by name'],
    ['mcp_servers = 1979-05-27\n', '"mcp_servers": expected an object'],
    [`[mcp_servers.a]\nargs = ${'['.repeat(200)}${']'.repeat(200)}\n`, 'config.toml:2:'],
  ])('Codex: what is wrong is told: %j', (text, message) => {
    expect(errorOf(text, { file: 'config.toml', env: {} }).message).toContain(message);
  });
});
