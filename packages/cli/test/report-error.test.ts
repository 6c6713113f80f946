import {
  ConnectError,
  ConnectionLostError,
  HttpStatusError,
  LongwireError,
  ServerError,
} from '@longwire/client';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { usageError } from '../src/command-error.ts';
import type { Credentials } from '../src/headers.ts';
import { Redactor } from '../src/redact.ts';
import { reportError } from '../src/report-error.ts';
import { Terminal } from '../src/terminal.ts';

function report(error: unknown, credentials: Credentials = 'none'): string {
  const stderr = new PassThrough();
  const redactor = new Redactor();
  const terminal = new Terminal({ stdout: new PassThrough(), stderr, redactor, env: {} });
  reportError(error, 1, { terminal, requests: { credentials } });
  return String(stderr.read());
}

const certainty = 'outcome-unknown';

describe('an error', () => {
  it('is one line, with one hint, in the words of the command line', () => {
    const hint = 'raise timeouts.connectMs';
    const error = new ConnectError('no answer', { code: 'connect-timeout', hint, tried: [] });
    expect(report(error)).toBe(
      'error: no answer; check the target, or allow more with --timeout\n',
    );
  });

  it.each<[Error, RegExp]>([
    [new LongwireError('x', { code: 'timeout', certainty }), /longer --timeout/],
    [new LongwireError('x', { code: 'deadline', certainty }), /longer --deadline/],
    [
      new LongwireError('x', { code: 'limit-exceeded', certainty }),
      /ask it for less; .*calling again/,
    ],
    [
      new LongwireError('x', { code: 'not-mcp', certainty: 'not-sent' }),
      /address of an MCP server\?/,
    ],
    [new LongwireError('x', { code: 'connect-failed', certainty }), /that the server runs/],
    [
      new LongwireError('x', { code: 'connect-failed', certainty, hint: 'see PATH' }),
      /; see PATH$/m,
    ],
    [new ConnectionLostError('x', { certainty }), /check on the server before calling again/],
    [
      new HttpStatusError('x', { status: 500, excerpt: '', certainty }),
      /check on the server before calling again/,
    ],
  ])('says what to do: %s', (error, expected) => {
    expect(report(error)).toMatch(expected);
  });

  it.each<[Error]>([
    [new ServerError('x', { number: -32602 })],
    [new HttpStatusError('x', { status: 404, excerpt: '', certainty: 'refused' })],
    [usageError('x', { code: 'config' })],
    [new TypeError('x')],
  ])('says nothing where there is nothing to do: %s', (error) => {
    expect(report(error)).toBe('error: x\n');
  });

  it.each<[Credentials, RegExp]>([
    ['none', /set MCP_SERVER_URL and MCP_API_KEY/],
    ['key', /MCP_API_KEY was sent/],
    ['key-withheld', /MCP_API_KEY was not sent/],
    ['header', /--header were sent/],
  ])('of authorization knows what was sent: %s', (credentials, expected) => {
    for (const status of [401, 403]) {
      const error = new HttpStatusError('x', { status, excerpt: '', certainty: 'refused' });
      expect(report(error, credentials)).toMatch(expected);
    }
  });
});
