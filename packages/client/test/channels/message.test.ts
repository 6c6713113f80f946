import { describe, expect, it } from 'vitest';
import { readMessage } from '../../src/channels/message.ts';

const answer = (fields: object): string => JSON.stringify({ jsonrpc: '2.0', id: 1, ...fields });

describe('readMessage', () => {
  it.each([
    { jsonrpc: '2.0', id: 1, method: 'roots/list' },
    { jsonrpc: '2.0', method: 'notifications/message', params: {} },
    { jsonrpc: '2.0', id: 'a', result: {} },
    { jsonrpc: '2.0', id: 1, error: { code: -1, message: 'no' } },
  ])('reads %j', (message) => {
    expect(readMessage(JSON.stringify(message))).toEqual({ message });
  });

  it('takes an error of null for none', () => {
    expect(readMessage(answer({ result: { a: 1 }, error: null }))).toEqual({
      message: { jsonrpc: '2.0', id: 1, result: { a: 1 } },
    });
  });

  it.each([
    answer({ result: null }),
    answer({ result: 'ok' }),
    answer({ error: 'bad' }),
    answer({ error: { message: 'no code' } }),
    answer({}),
    answer({ result: {}, error: { code: 1, message: 'both' } }),
    '{"id":1,"result":{}}',
  ])('knows whose answer %s was meant to be', (text) => {
    expect(readMessage(text)).toMatchObject({
      message: undefined,
      answerTo: 1,
      error: { code: 'protocol', certainty: 'answered' },
    });
  });

  it.each([
    'nonsense',
    '[]',
    'null',
    '{"jsonrpc":"2.0"}',
    '{"jsonrpc":"2.0","method":7,"id":1}',
    '{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"parse error"}}',
    '[{"jsonrpc":"2.0","id":1,"result":{}}]',
  ])('is not fooled by %s', (text) => {
    expect(readMessage(text)).toMatchObject({ message: undefined, answerTo: undefined });
  });
});
