import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answeredIdIn, DEFAULT_JSON_BOUNDS, parseJson } from '../../src/untrusted/json.ts';
import { readMessage, readMessages } from '../../src/channels/message.ts';

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const bounds = { maxJsonDepth: 5, maxJsonValues: 50 };

describe('parseJson', () => {
  it('gives what JSON.parse gives, of all that is within the bounds', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(3), (text, indent) => {
        const spaced = JSON.stringify(JSON.parse(text), null, indent);
        expect(parseJson(spaced, DEFAULT_JSON_BOUNDS)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([nested(6), `{"a":${nested(5)}}`, `["]]]]]]",${nested(5)}]`, '['.repeat(100_000)])(
    'refuses %.20s as too deep',
    (text) => {
      expect(() => parseJson(text, bounds)).toThrow(
        expect.objectContaining({
          code: 'limit-exceeded',
          message: expect.stringContaining('limits.maxJsonDepth') as string,
        }),
      );
    },
  );

  it.each([`[${'1,'.repeat(60)}1]`, `{"a":[${'{},'.repeat(30)}0]}`])(
    'refuses %.20s as too much',
    (text) => {
      expect(() => parseJson(text, bounds)).toThrow(
        expect.objectContaining({
          code: 'limit-exceeded',
          message: expect.stringContaining('limits.maxJsonValues') as string,
        }),
      );
    },
  );

  it.each(['[[[[[[', 'a,[{', '\\"[,,', '\\\\', ','.repeat(100)])(
    'does not count what is in the string %j',
    (text) => {
      const json = JSON.stringify([text, text]);
      expect(parseJson(json, bounds)).toEqual([text, text]);
    },
  );

  it.each(['"abc', '["\\"', ']'.repeat(300), '{"a"', '"'.repeat(301)])(
    'leaves %.20s to JSON.parse',
    (text) => {
      expect(() => parseJson(text, bounds)).toThrow(SyntaxError);
    },
  );

  it('takes one string of 50 MiB', () => {
    const text = 'x'.repeat(50 * 1024 * 1024);
    const message = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { text } });
    expect(readMessage(message).message).toMatchObject({ id: 1 });
  });
});

describe('answeredIdIn', () => {
  it('finds the id that JSON.parse finds', () => {
    const id = fc.oneof(fc.integer(), fc.constantFrom('a', 'server-1'));
    fc.assert(
      fc.property(id, fc.jsonValue(), fc.nat(2), (value, result, indent) => {
        const before = JSON.stringify({ result, jsonrpc: '2.0', id: value }, null, indent);
        expect(answeredIdIn(before)).toBe(value);
        const after = JSON.stringify({ id: value, result: { id: 7, method: 'x', result } });
        expect(answeredIdIn(after)).toBe(value);
      }),
    );
  });

  it.each(['', '[1]', '{"id":1.5}', '{"id":null}', '{"a":{"id":1}}', '{"id":1,"method":"ping"}'])(
    'finds none in %s',
    (text) => expect(answeredIdIn(text)).toBeUndefined(),
  );
});

describe('a message over a bound', () => {
  const deep = nested(300);

  it('names the request that it answers', () => {
    expect(readMessage(`{"result":{"content":${deep}},"jsonrpc":"2.0","id":7}`)).toMatchObject({
      answerTo: 7,
      error: { code: 'limit-exceeded', certainty: 'answered' },
    });
  });

  it.each([`{"jsonrpc":"2.0","method":"a","id":7,"params":${deep}}`, deep])(
    'is nobody’s answer if it is %.30s',
    (text) => {
      const reads = [readMessage(text)];
      readMessages(text, (read) => reads.push(read));
      expect(reads).toHaveLength(2);
      for (const read of reads) {
        expect(read).toMatchObject({ answerTo: undefined, error: { code: 'limit-exceeded' } });
      }
    },
  );
});
