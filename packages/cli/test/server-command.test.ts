import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CommonOptions } from '../src/options.ts';
import { commandTarget, splitCommand } from '../src/server-command.ts';

const cwd = import.meta.dirname;
const given = (options: Partial<CommonOptions> = {}): { options: CommonOptions; cwd: string } => ({
  options: { variables: {}, ...options } as CommonOptions,
  cwd,
});

describe('a command line', () => {
  it.each<[string[], string[], string[] | undefined]>([
    [['tools', 'http://h'], ['tools', 'http://h'], undefined],
    [['tools', '--', 'node', '-v'], ['tools'], ['node', '-v']],
    [['tools', '--', 'npx', '--', 'x'], ['tools'], ['npx', '--', 'x']],
    [['tools', '--'], ['tools'], []],
    [['--', 'tools'], [], ['tools']],
  ])('%j is split at its first --', (all, args, command) => {
    expect(splitCommand(all)).toEqual({ args, command });
  });
});

describe('a command', () => {
  it('runs where the command line does, with no variables of its own', () => {
    expect(commandTarget(['npx', '-y', ''], given())).toEqual({
      command: 'npx',
      args: ['-y', ''],
      env: {},
      cwd,
    });
  });

  it('may have variables, and run elsewhere', () => {
    const options = { variables: { A: 'b' }, directory: '..' };
    expect(commandTarget(['x'], given(options))).toMatchObject({
      env: { A: 'b' },
      cwd: dirname(cwd),
    });
  });

  it.each([[[]], [['']], [[' ', 'x']]])('is not %j', (words) => {
    expect(() => commandTarget(words, given())).toThrow(/^nothing after --/);
  });

  it.each(['no-such-directory', import.meta.filename])('does not run in %s', (directory) => {
    expect(() => commandTarget(['x'], given({ directory }))).toThrow(/is not a directory$/);
  });
});
