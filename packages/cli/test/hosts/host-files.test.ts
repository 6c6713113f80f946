import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hostFiles, hostNames, hostOf } from '../../src/hosts/host-files.ts';

const home = '/home/it';
const paths = (env: Record<string, string>, platform: NodeJS.Platform): Record<string, string> =>
  Object.fromEntries(
    hostFiles({ cwd: '/work', env: { HOME: home, ...env }, platform })
      .toReversed()
      .map(({ host, path }) => [host, path]),
  );

describe.runIf(process.platform !== 'win32')('where other programs keep their servers', () => {
  it.each<[NodeJS.Platform, Record<string, string>, Record<string, string>]>([
    [
      'linux',
      {},
      {
        'claude-desktop': '/home/it/.config/Claude/claude_desktop_config.json',
        'claude-code': '/home/it/.claude.json',
        cursor: '/home/it/.cursor/mcp.json',
        vscode: '/home/it/.config/Code/User/mcp.json',
        'vscode-insiders': '/home/it/.config/Code - Insiders/User/mcp.json',
        vscodium: '/home/it/.config/VSCodium/User/mcp.json',
        windsurf: '/home/it/.codeium/windsurf/mcp_config.json',
        codex: '/home/it/.codex/config.toml',
        gemini: '/home/it/.gemini/settings.json',
        opencode: '/home/it/.config/opencode/opencode.json',
        zed: '/home/it/.config/zed/settings.json',
      },
    ],
    [
      'darwin',
      {},
      {
        'claude-desktop': '/home/it/Library/Application Support/Claude/claude_desktop_config.json',
        vscode: '/home/it/Library/Application Support/Code/User/mcp.json',
        opencode: '/home/it/.config/opencode/opencode.json',
        zed: '/home/it/.config/zed/settings.json',
      },
    ],
    [
      'win32',
      { APPDATA: '/roaming' },
      {
        'claude-desktop': '/roaming/Claude/claude_desktop_config.json',
        vscode: '/roaming/Code/User/mcp.json',
        zed: '/roaming/Zed/settings.json',
      },
    ],
    [
      'linux',
      {
        XDG_CONFIG_HOME: '/xdg',
        CODEX_HOME: '/codex',
        CLAUDE_CONFIG_DIR: '/claude',
        OPENCODE_CONFIG: '/opencode.jsonc',
      },
      {
        'claude-desktop': '/xdg/Claude/claude_desktop_config.json',
        'claude-code': '/claude/.claude.json',
        vscode: '/xdg/Code/User/mcp.json',
        codex: '/codex/config.toml',
        opencode: '/opencode.jsonc',
        zed: '/xdg/zed/settings.json',
      },
    ],
  ])('%s, %j', (platform, env, expected) => {
    expect(paths(env, platform)).toMatchObject(expected);
  });

  it('is here alone without a home', () => {
    const found = hostFiles({ cwd: '/work', env: {} });
    expect(found.map(({ path }) => path).every((path) => path.startsWith('/work/'))).toBe(true);
    expect(new Set(found.map(({ host }) => host[0]))).toEqual(new Set(['.']));
  });

  it('is at home alone where somebody works at home', () => {
    const found = hostFiles({ cwd: home, env: { HOME: home } });
    const ofCursor = found.filter(({ path }) => path === join(home, '.cursor/mcp.json'));
    expect(ofCursor.map(({ host }) => host)).toEqual(['cursor']);
  });
});

it.each([
  ['cursor:github', 'cursor'],
  ['.mcp:a:b', '.mcp'],
  ['vscode-insiders:', 'vscode-insiders'],
  ['cursor', undefined],
  ['Cursor:github', undefined],
  ['constructor:x', undefined],
  [':x', undefined],
  ['', undefined],
])('%j is of %j', (name, host) => {
  expect(hostOf(name)).toBe(host);
});

it('no program has two names', () => {
  expect(new Set(hostNames).size).toBe(hostNames.length);
});
