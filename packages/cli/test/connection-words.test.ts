import { ConnectionLostError, type ConnectionState } from '@longwire/client';
import { describe, expect, it } from 'vitest';
import { createStateWords, describeState, describeWaiting } from '../src/connection-words.ts';

const reason = new ConnectionLostError('the server\u001b[31m ended\nit', {
  certainty: 'outcome-unknown',
  hint: 'raise timeouts.connectMs',
});
const ready = {
  name: 'ready',
  dialsSinceAnswer: 1,
  transport: 'sse',
  address: 'http://h/messages',
  connectMs: 12.3,
  resumed: false,
} as const;
const lost = {
  name: 'reconnecting',
  attempt: 1,
  maxAttempts: 5,
  reason,
  nextDelayMs: 250,
  known: true,
} as const;

it('says that a call waits for a server that is away', () => {
  const waiting = { server: 'git\u001b[1mhub', what: 'the call of echo', reason, since: 0 };
  const soon = { ...waiting, nextTryAt: Date.now() + 3000 };
  expect(describeWaiting(soon)).toMatch(
    /^github is away \(the server ended it\), waiting; next try in (3|2\.\d) s$/,
  );
  expect(describeWaiting({ ...waiting, nextTryAt: undefined })).toBe(
    'github is away (the server ended it), waiting; trying now',
  );
});

describe('a state in words', () => {
  it.each<[ConnectionState, string]>([
    [{ name: 'idle' }, 'idle'],
    [{ name: 'connecting', attempt: 1, known: false }, 'connecting'],
    [{ name: 'connecting', attempt: 2, known: false }, 'connecting again'],
    [{ name: 'connecting', attempt: 1, known: true }, 'connecting again'],
    [ready, 'ready: sse at http://h/messages, in 12 ms'],
    [
      { ...ready, transport: 'stdio', address: 'npx \u001b[1mserver' },
      'ready: stdio with npx server, in 12 ms',
    ],
    [lost, 'reconnecting in 250 ms (attempt 1 of 5): the server ended it'],
    [
      { ...lost, attempt: 7, nextDelayMs: 4000 },
      'reconnecting in 4 s (attempt 7, because a call waits): the server ended it',
    ],
    [
      { ...lost, attempt: 7, maxAttempts: Infinity },
      'reconnecting in 250 ms (attempt 7): the server ended it',
    ],
    [{ name: 'resting', reason, known: true }, 'resting: the server ended it'],
    [{ name: 'closed' }, 'closed'],
  ])('%o', (state, words) => {
    expect(describeState(state)).toBe(words);
  });

  it('says what is new when it is ready again', () => {
    const client = {
      state: { name: 'idle' } as ConnectionState,
      server: { name: 'every\u0007thing', version: '1.1' },
    };
    const words = createStateWords(client);
    const where = 'sse at http://h/messages, in 12 ms';
    expect(words(ready)).toBe(`ready: ${where}`);
    expect(words({ ...ready, resumed: true })).toBe(`ready again (session resumed): ${where}`);
    expect(words(ready)).toBe(`ready again (new session): ${where}`);
    const formerServer = { name: 'every\u001b]0;x\u0007thing', version: '1.0' };
    expect(words({ ...ready, formerServer })).toBe(
      `ready again (new session): ${where}; the server is another now: was everything 1.0, is everything 1.1`,
    );
  });
});
