import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { asChatError } from '../../src/chat/chat-error.ts';
import { exitCodeOf } from '../../src/exit-codes.ts';

function answered(status: number | undefined, type: string, message: string): Error {
  return Anthropic.APIError.generate(
    status,
    { type: 'error', error: { type, message } },
    undefined,
    new Headers(),
  );
}

describe('what Claude could not do', () => {
  it.each<[Error, RegExp, number]>([
    [answered(429, 'rate_limit_error', 'slow down'), /429: slow down; try again later/, 1],
    [answered(529, 'overloaded_error', 'Overloaded'), /Overloaded; try again later/, 1],
    [answered(400, 'invalid_request_error', 'prompt is too long: 9'), /\/reset starts anew/, 1],
    [answered(413, 'request_too_large', 'too large'), /\/reset starts anew/, 1],
    [
      answered(400, 'invalid_request_error', 'Your credit balance is too low'),
      /add credit at https:/,
      1,
    ],
    [answered(404, 'not_found_error', 'model: x'), /check --model/, 1],
    [answered(401, 'authentication_error', 'invalid'), /check the key/, 4],
    [new TypeError('terminated'), /ended early: terminated; ask again/, 6],
    [
      new TypeError('terminated', { cause: Object.assign(new Error('other side closed')) }),
      /ended early: other side closed; ask again/,
      6,
    ],
    [
      new Anthropic.AnthropicError('stream ended without producing a Message'),
      /ended early: stream ended.*; ask again/,
      6,
    ],
    [new Anthropic.APIUserAbortError(), /interrupted/, 130],
  ])('%s', (error, message, exitCode) => {
    const ours = asChatError(error) as Error;
    expect(ours.message).toMatch(message);
    expect(exitCodeOf(ours)).toBe(exitCode);
  });

  it('leaves other errors alone', () => {
    const error = new TypeError('x is not a function');
    expect(asChatError(error)).toBe(error);
  });
});
