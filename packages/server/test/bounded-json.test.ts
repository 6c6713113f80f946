import { describe, expect, it } from 'vitest';
import { parseBoundedJson } from '../src/http/bounded-json.ts';
import { endpointOf, post, serving, stream } from './fixture.ts';

describe('the JSON of a body', () => {
  it.each([
    ['nested', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'deeper than 200 levels'],
    ['cut off', '{"a":'.repeat(100_000), 'deeper than 200 levels'],
    ['long', `[${'1,'.repeat(1_500_000)}1]`, 'more than 1000000 values'],
  ])('that is %s is refused before it is built', async (_what, body, why) => {
    const { url } = await serving();
    const answer = await post(await endpointOf(await stream(url), url), body);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(why);
  });

  it('may hold brackets in strings, and is read as it is', () => {
    const bounds = { maxJsonDepth: 2, maxJsonValues: 8 };
    const read = (text: string): unknown => parseBoundedJson(text, bounds);
    expect(read('{"a":"[[[[,,,,,,,,\\"[[[[\\\\"}')).toEqual({ a: '[[[[,,,,,,,,"[[[[\\' });
    expect(read('[[1],[2]]')).toEqual([[1], [2]]);
    expect(() => read('[[[]]]')).toThrow('deeper than 2 levels');
    expect(() => read('[1,2,3,4,5,6,7,8]')).toThrow('more than 8 values');
    expect(() => read('"never ended [[[[')).toThrow(SyntaxError);
  });

  it('may have keys of the prototype, which change nothing', async () => {
    const { url } = await serving();
    const events = await stream(url);
    const body = '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"__proto__":{"polluted":1}}}';
    expect((await post(await endpointOf(events, url), body)).status).toBe(202);
    await events.nextOf('message');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
