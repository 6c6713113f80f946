import { describe, expect, it } from 'vitest';
import { errorMeaning } from '../../src/channels/error-meaning.ts';
import { ConnectionLostError, HttpStatusError } from '../../src/errors.ts';

const refused = (status: number, excerpt = '') =>
  new HttpStatusError(`answered ${status}`, { status, excerpt, certainty: 'refused' });

const error = (code: number, id: unknown = 7) =>
  JSON.stringify({ jsonrpc: '2.0', id, error: { code, message: 'no' } });

const legacy = { id: 7, era: 'legacy', wasKnown: true, namesSession: true } as const;
const modern = { ...legacy, era: 'modern', namesSession: false } as const;

const meaning = (who: Parameters<typeof errorMeaning>[2], status: number, body?: string): string =>
  errorMeaning(refused(status, body), body, who).meaning;

describe('an HTTP error over Streamable HTTP', () => {
  it.each([
    ['404 of a session', legacy, 404, undefined, 'session-lost'],
    ['404 with an error for nobody', legacy, 404, error(-32001, null), 'session-lost'],
    ['400 that may say so', legacy, 400, 'Bad Request: No valid session ID provided', 'error'],
    ['400 for another reason', legacy, 400, 'Bad Request: what?', 'error'],
    ['404 that answers the request', legacy, 404, error(-32601), 'answer'],
    ['400 that answers the request', modern, 400, error(-32602), 'answer'],
    ['400 about headers, without an id', modern, 400, error(-32020, null), 'answer'],
    ['400 of a server of sessions', modern, 400, error(-32000, null), 'session-lost'],
    ['405 of another kind of server', modern, 405, '', 'session-lost'],
    ['another version is spoken now', legacy, 400, error(-32022), 'session-lost'],
    ['404 that no session was named to', { ...legacy, namesSession: false }, 404, '', 'error'],
    [
      '404 of a session, under a foreign id',
      legacy,
      404,
      error(-32600, 'server-error'),
      'session-lost',
    ],
    ['400 of what stands in front', modern, 400, '<h1>Blocked</h1>', 'error'],
    ['404 of what stands in front', modern, 404, '<h1>Not here</h1>', 'error'],
    ['500', legacy, 500, 'out of order', 'error'],
    ['429 puts off, whatever its body says', modern, 429, error(-32603), 'error'],
    ['503 puts off', legacy, 503, error(-32603), 'error'],
  ] as const)('%s', (_name, who, status, body, expected) => {
    expect(meaning(who, status, body)).toBe(expected);
  });

  it('does not mean a session that never existed', () => {
    const stranger = { ...legacy, wasKnown: false };
    expect(meaning(stranger, 404)).toBe('error');
    expect(meaning({ ...modern, wasKnown: false }, 400, 'who are you?')).toBe('error');
    expect(meaning(stranger, 400, error(-32022))).toBe('answer');
  });

  it('answers only the request that it names', () => {
    expect(meaning(modern, 400, error(-32602, '7'))).toBe('answer');
    expect(meaning(modern, 400, error(-32602, '07'))).toBe('session-lost');
    expect(meaning({ ...modern, id: undefined }, 400, error(-32602))).toBe('session-lost');
  });

  it('is kept if it is no HTTP error', () => {
    const lost = new ConnectionLostError('gone', { certainty: 'outcome-unknown' });
    expect(errorMeaning(lost, undefined, legacy)).toEqual({ meaning: 'error' });
  });
});
