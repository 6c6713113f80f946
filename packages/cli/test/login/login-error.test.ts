import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { LoginNeededError } from '../../src/login/login-error.ts';

/** The words that a shell makes of what is to be run, when a person copies it. */
function wordsOf({ hint = '' }: LoginNeededError): string[] {
  const script = `printf '%s\\n' ${hint.replace(/^run: /, '')}`;
  return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).trimEnd().split('\n');
}

it('gives a line to copy in which what a server named is one word', () => {
  const target = 'https://mcp.example.com/$(id);x';
  const scope = "read';echo\u001b'; \u001b]0;'\u0007$(id) `id` #";
  const error = new LoginNeededError('a new login is needed', { target, scope });
  expect(wordsOf(error)).toEqual([
    'longwire',
    'login',
    target,
    '--scope',
    "read';echo $(id) `id` #",
  ]);
});

it('is as it is written where a shell changes nothing', () => {
  const error = new LoginNeededError('there is no login', {
    target: 'http://127.0.0.1:8080/mcp',
    scope: undefined,
  });
  expect(error.hint).toBe('run: longwire login http://127.0.0.1:8080/mcp');
});
