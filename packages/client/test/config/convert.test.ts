import { sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import { convertServer, parseConfig } from '../../src/config/index.ts';

const directories = { workspaceFolder: '/work/app', cwd: '/work' };

test.each<[object, object]>([
  [
    { type: 'http', url: 'https://h/${env:PATH_OF_IT}', headers: { Authorization: 'Bearer ${T}' } },
    { url: 'https://h/${PATH_OF_IT}', headers: { Authorization: 'Bearer ${T}' } },
  ],
  [{ serverUrl: 'https://w/mcp', headers: {} }, { url: 'https://w/mcp' }],
  [{ httpUrl: 'https://g/mcp', url: 'https://g/sse' }, { url: 'https://g/mcp' }],
  [
    {
      command: 'npx',
      args: [
        '${workspaceFolder}${/}x',
        '${userHome}',
        '${input:the key}',
        '$${X}',
        '${A:-${env:B}}',
      ],
      env: { N: 5, F: true, GONE: null, C: '${cwd}' },
      cwd: '${workspaceFolder}',
      disabledTools: ['a*b'.replace('*', '')],
      disabled: true,
    },
    {
      command: 'npx',
      args: [`/work/app${sep}x`, '${HOME}', '${THE_KEY}', '$${X}', '${A:-${B}}'],
      env: { N: '5', F: 'true', C: '/work' },
      cwd: '/work/app',
      tools: { exclude: ['ab'] },
      disabled: true,
    },
  ],
])('%j is %j', (written, expected) => {
  expect(convertServer(written, directories)).toEqual(expected);
});

test.each<[object, string]>([
  [{ command: 'x', envFile: '.env' }, 'envFile'],
  [{}, 'no "url"'],
  [{ url: 'http://h', excludeTools: 'x' }, 'restricts the server'],
])('%j is none: %s', (written, message) => {
  expect(() => convertServer(written, directories)).toThrow(message);
});

describe('what is converted', () => {
  test('means the same', () => {
    const env = { T: 'token', HOME: '/home/it', B: 'b' };
    const servers = {
      web: { type: 'http', url: 'https://h/mcp', headers: { a: 'Bearer ${env:T}', b: '${B:-c}' } },
      run: {
        command: 'x',
        args: ['${workspaceFolder}', '${userHome}', '$${T}'],
        env: { A: '${T}' },
      },
    };
    const file = '/work/app/.vscode/mcp.json';
    const before = parseConfig(JSON.stringify({ servers }), { file, env }).servers;
    const own = Object.fromEntries(
      before.map(({ name, written }) => [name, convertServer(written, directories)]),
    );
    const after = parseConfig(JSON.stringify({ servers: own }), {
      file: '/work/app/longwire.json',
      env,
    });
    for (const [index, { target, options }] of before.entries()) {
      expect(after.servers[index]).toMatchObject({ target, options });
    }
  });
});
