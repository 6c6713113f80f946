import {
  isJSONRPCErrorResponse,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
} from '@modelcontextprotocol/client';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  readMessage,
  readMessages,
  toMessage,
  type ReadMessage,
} from '../../src/channels/message.ts';

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

  it('treats an error of null as none', () => {
    expect(readMessage(answer({ result: { a: 1 }, error: null }))).toEqual({
      message: { jsonrpc: '2.0', id: 1, result: { a: 1 } },
    });
  });

  it.each([
    answer({ result: null }),
    answer({ result: 'ok' }),
    answer({ error: 'bad' }),
    answer({ error: { message: 7 } }),
    answer({}),
    answer({ result: {}, error: { code: 1, message: 'both' } }),
    '{"id":1,"result":{}}',
  ])('knows which request %s was meant to answer', (text) => {
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
  ])('finds no request in %s', (text) => {
    expect(readMessage(text)).toMatchObject({ message: undefined, answerTo: undefined });
  });
});

describe('a message for the SDK', () => {
  const odd = fc.oneof(
    fc.constantFrom(null, true, 1.5, 1e30, -1, 0, '', 'x', [], [1], {}),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const meta = fc.oneof(
    odd,
    fc.record(
      {
        progressToken: odd,
        'io.modelcontextprotocol/related-task': fc.oneof(odd, fc.record({ taskId: odd })),
        'io.modelcontextprotocol/serverInfo': odd,
      },
      { requiredKeys: [] },
    ),
  );
  const message = fc.record(
    {
      jsonrpc: fc.oneof({ weight: 9, arbitrary: fc.constant('2.0') }, odd),
      id: fc.oneof(fc.integer(), fc.string(), odd),
      method: fc.oneof(fc.constantFrom('ping', 'notifications/message', 'roots/list'), odd),
      params: fc.oneof(odd, fc.record({ _meta: meta, name: odd }, { requiredKeys: [] })),
      result: fc.oneof(odd, fc.record({ _meta: meta, content: odd }, { requiredKeys: [] })),
      error: fc.oneof(odd, fc.record({ code: odd, message: odd, data: odd })),
      more: odd,
    },
    { requiredKeys: ['jsonrpc'] },
  );

  it('is one that its Client accepts, whatever came', () => {
    fc.assert(
      fc.property(message, (value) => {
        const read = readMessage(JSON.stringify(value));
        if (read.message === undefined) return;
        // Which the connection replaces by one of its own.
        const taken = 'id' in read.message ? { ...read.message, id: 1 } : read.message;
        const isTaken = [
          isJSONRPCResultResponse,
          isJSONRPCErrorResponse,
          isJSONRPCRequest,
          isJSONRPCNotification,
        ].some((check) => check(taken));
        expect(isTaken, JSON.stringify(taken)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('is the same object if it is valid', () => {
    for (const value of [
      { jsonrpc: '2.0', id: 1, result: { _meta: { a: 1 } } },
      { jsonrpc: '2.0', id: 1, error: { code: 1, message: 'no', data: null } },
      { jsonrpc: '2.0', id: 1, method: 'ping' },
      { jsonrpc: '2.0', method: 'notifications/message', params: { _meta: { progressToken: 1 } } },
    ]) {
      expect(toMessage(value, () => '').message).toBe(value);
    }
  });

  it.each([
    [
      { id: 1, method: 'a', params: null },
      { id: 1, method: 'a' },
    ],
    [
      { id: 1, method: 'a', params: [1] },
      { id: 1, method: 'a' },
    ],
    [{ id: null, method: 'notifications/a' }, { method: 'notifications/a' }],
    [{ method: 'a', result: null, error: null }, { method: 'a' }],
    [
      { method: 'a', params: { b: 1, _meta: null } },
      { method: 'a', params: { b: 1 } },
    ],
    [
      { id: 1, method: 'a', params: { _meta: { progressToken: 1.5, c: 1 } } },
      { id: 1, method: 'a', params: { _meta: { c: 1 } } },
    ],
  ])('is %j after its repair', (value, message) => {
    expect(readMessage(JSON.stringify({ jsonrpc: '2.0', ...value }))).toEqual({
      message: { jsonrpc: '2.0', ...message },
    });
  });
});

describe('a batch', () => {
  const read = (value: unknown): ReadMessage[] => {
    const reads: ReadMessage[] = [];
    readMessages(JSON.stringify(value), (each) => reads.push(each));
    return reads;
  };
  const note = { jsonrpc: '2.0', method: 'notifications/a' };

  it('reports its invalid entries once', () => {
    const reads = read([note, 1, {}, note, null, { jsonrpc: '2.0', id: 3, result: 3 }]);
    expect(reads.map(({ error, answerTo }) => [error?.code, answerTo])).toEqual([
      [undefined, undefined],
      ['protocol', undefined],
      [undefined, undefined],
      ['protocol', 3],
    ]);
  });

  it('with too many messages is refused as a whole', () => {
    expect(read(Array(10_000).fill(note))).toHaveLength(10_000);
    expect(read(Array(10_001).fill(note))).toMatchObject([{ error: { code: 'limit-exceeded' } }]);
  });
});
