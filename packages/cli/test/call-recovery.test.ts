import { ConnectionLostError, LongwireError, type ConnectionState } from '@longwire/client';
import { describe, expect, it } from 'vitest';
import { CallRecovery } from '../src/call-recovery.ts';

const reason = new ConnectionLostError('the stream\nbroke', { certainty: 'outcome-unknown' });
const states = {
  connecting: { name: 'connecting', attempt: 1, known: true },
  ready: {
    name: 'ready',
    dialsSinceAnswer: 1,
    transport: 'sse',
    address: 'u',
    connectMs: 1,
    resumed: false,
  },
  resumed: {
    name: 'ready',
    dialsSinceAnswer: 1,
    transport: 'sse',
    address: 'u',
    connectMs: 1,
    resumed: true,
  },
  lost: {
    name: 'reconnecting',
    attempt: 1,
    maxAttempts: 5,
    reason,
    nextDelayMs: 1,
    known: true,
  },
  resting: { name: 'resting', reason, known: true },
} as const satisfies Record<string, ConnectionState>;

type Step = keyof typeof states | 'call';

/** Lets it happen, and says what the person is told. */
function wordsAfter(steps: readonly Step[], error?: unknown): string | undefined {
  const client = { state: states.ready as ConnectionState };
  const recovery = new CallRecovery(client);
  for (const step of steps) {
    if (step === 'call') {
      recovery.called();
      continue;
    }
    client.state = states[step];
    recovery.follow(client.state);
  }
  return recovery.words(error);
}

const back = 'the connection was lost (the stream broke) and is back; ';
const twice =
  'the connection was lost 2 times, at last (the stream broke) and is back; the call was sent again';

describe('a call that came through', () => {
  it.each<[Step[], string | undefined]>([
    [['call'], undefined],
    [['call', 'lost', 'connecting', 'ready'], `${back}the call was sent again`],
    [
      ['call', 'lost', 'resumed'],
      `${back}its session was resumed, and the call was sent only once`,
    ],
    [['lost', 'call', 'connecting', 'ready'], `${back}the call was sent only once`],
    [['lost', 'connecting', 'ready', 'call'], `${back}the call was sent only once`],
    [['lost', 'connecting', 'ready'], `${back}the call had not been made yet`],
    // A resumed session delivers a ready answer at once.
    [
      ['call', 'lost', 'connecting'],
      `${back}its session was resumed, and the call was sent only once`,
    ],
    // The server answered and went.
    [['call', 'lost'], undefined],
    // Dials that fail in between are no losses.
    [
      ['call', 'lost', 'connecting', 'lost', 'connecting', 'ready'],
      `${back}the call was sent again`,
    ],
    [['call', 'lost', 'resumed', 'lost', 'ready'], twice],
    [['lost', 'call', 'ready', 'lost', 'ready'], twice],
  ])('%j', (steps, words) => {
    expect(wordsAfter(steps)).toBe(words);
  });
});

describe('a call that failed', () => {
  it.each(['timeout', 'deadline'] as const)('of %s, while there was no connection', (code) => {
    const error = new LongwireError('late', { code, certainty: 'outcome-unknown' });
    const words = 'the connection was lost (the stream broke) and did not come back in time';
    expect(wordsAfter(['call', 'lost', 'connecting', 'lost'], error)).toBe(words);
    expect(wordsAfter(['call', 'lost', 'ready'], error)).toBe(`${back}the call was sent again`);
    expect(wordsAfter(['call'], error)).toBeUndefined();
  });

  it('with the connection says so itself', () => {
    expect(wordsAfter(['call', 'lost'], reason)).toBeUndefined();
    expect(wordsAfter(['call', 'lost', 'connecting', 'resting'], reason)).toBeUndefined();
  });
});
