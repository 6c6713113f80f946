import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { userFolder } from '../src/user-folders.ts';

describe("the user's folders", () => {
  it.each([
    ['linux', 'cache', { HOME: '/h' }, '/h/.cache/longwire'],
    ['linux', 'state', { HOME: '/h' }, '/h/.local/state/longwire'],
    ['linux', 'config', { HOME: '/h', XDG_CONFIG_HOME: '/x' }, '/x/longwire'],
    ['linux', 'config', { HOME: '/h', XDG_CONFIG_HOME: '' }, '/h/.config/longwire'],
    ['darwin', 'cache', { HOME: '/h' }, '/h/Library/Caches/longwire'],
    ['darwin', 'config', { HOME: '/h' }, '/h/Library/Application Support/longwire'],
    ['win32', 'config', { APPDATA: 'R' }, join('R', 'longwire')],
    ['win32', 'state', { LOCALAPPDATA: 'L' }, join('L', 'longwire')],
  ] as const)('on %s for %s with %j: %s', (platform, kind, env, expected) => {
    expect(userFolder(kind, env, platform)).toBe(expected);
  });
});
