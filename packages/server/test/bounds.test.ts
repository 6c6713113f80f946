import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { parseBoundedJson } from '../src/bounded-json.ts';
import { networkOf } from '../src/sessions.ts';
import { PING, call, endpointOf, post, serving, stream } from './fixture.ts';

/** What a server answers to bytes on a socket of their own. */
async function raw(url: string, request: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(request);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return chunk.toString();
}

describe('requests in flight', () => {
  it('are no more than the limit, and those that are answered or cancelled make room', async () => {
    const { url, samples } = await serving({ maxInFlight: 2 });
    const events = await stream(url);
    const endpoint = await endpointOf(events, url);
    await post(endpoint, call(1, 'wait'));
    await post(endpoint, call(2, 'wait'));
    await samples[0]!.waiting;

    const third = await post(endpoint, { ...PING, id: 3 });
    expect(third.status).toBe(429);
    expect(third.headers['retry-after']).toBe('1');
    expect(JSON.parse(third.text)).toMatchObject({
      id: 3,
      error: {
        message: '2 requests of this session are in flight (maxInFlight): wait for answers',
      },
    });

    const cancelled = {
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: 1 },
    };
    expect((await post(endpoint, cancelled)).status).toBe(202);
    for (let id = 4; id < 10; id++) {
      expect((await post(endpoint, { ...PING, id })).status).toBe(202);
      expect(JSON.parse(await events.nextOf('message'))).toMatchObject({ id });
    }
  });

  it('of three thousand, those beyond a thousand do not reach the server', async () => {
    const { url } = await serving();
    const endpoint = await endpointOf(await stream(url), url);
    const statuses: number[] = [];
    const callers = Array.from({ length: 50 }, async (_, caller) => {
      for (let at = 0; at < 60; at++) {
        statuses.push((await post(endpoint, call(caller * 60 + at, 'wait'))).status);
      }
    });
    await Promise.all(callers);
    expect(statuses.filter((status) => status === 202)).toHaveLength(1000);
    expect(statuses.filter((status) => status === 429)).toHaveLength(2000);
  });

  it('have ids of their own, and none that is a document', async () => {
    const { url, samples } = await serving();
    const endpoint = await endpointOf(await stream(url), url);
    await post(endpoint, call(1, 'wait'));
    await samples[0]!.waiting;
    expect(await post(endpoint, call(1, 'wait'))).toMatchObject({ status: 400 });
    expect((await post(endpoint, { ...PING, id: '1' })).status).toBe(202);
    const long = await post(endpoint, { ...PING, id: 'x'.repeat(100_000) });
    expect(long.status).toBe(400);
    expect(long.text).toContain('longer than 256 characters');
  });

  it('of the tool-events dialect count with them', async () => {
    const { url, samples } = await serving({ toolEvents: true, maxInFlight: 1 });
    const endpoint = await endpointOf(await stream(url), url);
    const id = new URL(endpoint).searchParams.get('session_id');
    await post(endpoint, call(1, 'wait'));
    await samples[0]!.waiting;
    const asked = { session_id: id, tool: 'wait', args: {} };
    expect((await post(endpoint, asked)).status).toBe(429);
    expect((await post(url, asked)).status).toBe(429);
  });
});

describe('sessions of one address', () => {
  it('are no more than the limit, and one that ends makes room', async () => {
    const { url, samples } = await serving({ maxSessionsPerAddress: 2 });
    const first = await stream(url);
    await endpointOf(first, url);
    await endpointOf(await stream(url), url);
    const refused = await stream(url);
    expect(refused.statusCode).toBe(429);
    expect(refused.headers['retry-after']).toBe('5');
    first.close();
    await samples[0]!.closed;
    const again = await stream(url);
    expect(again.statusCode).toBe(200);
    await endpointOf(again, url);
  });

  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:10.0.0.7', '10.0.0.7'],
    ['2001:db8:1:2:3:4:5:6', '8193:3512:1:2'],
    ['2001:0db8:0001:0002::9', '8193:3512:1:2'],
    ['2001:db8::1', '8193:3512:0:0'],
    ['fe80::1%eth0', '65152:0:0:0'],
    ['::1', '0:0:0:0'],
  ])('%s counts as %s', (ip, network) => {
    expect(networkOf(ip)).toBe(network);
  });
});

describe('a header that comes twice', () => {
  it.each([
    ['host', 'Host: evil.example'],
    ['origin', 'Origin: http://localhost\r\nOrigin: http://evil.example'],
    ['content-type', 'Content-Type: application/json\r\nContent-Type: text/plain'],
    ['authorization', 'Authorization: Bearer a\r\nAuthorization: Bearer b'],
  ])('%s is refused', async (name, extra) => {
    const { url } = await serving();
    const answer = await raw(url, `GET /sse HTTP/1.1\r\nHost: localhost\r\n${extra}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).toContain(`more than one ${name} header`);
  });

  it.each([
    ['two lengths', 'Content-Length: 2\r\nContent-Length: 3'],
    ['a length and chunks', 'Content-Length: 2\r\nTransfer-Encoding: chunked'],
  ])('%s are refused', async (_what, extra) => {
    const { url } = await serving();
    const head = 'POST /messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json';
    expect(await raw(url, `${head}\r\n${extra}\r\n\r\n{}`)).toMatch(/^HTTP\/1.1 400 /);
  });

  it('is refused where it is the id of the session', async () => {
    const { url } = await serving();
    const endpoint = await endpointOf(await stream(url), url);
    const other = new URL(endpoint);
    other.searchParams.set('session_id', 'another');
    expect((await post(other.href, PING)).status).toBe(400);
    other.searchParams.delete('session_id');
    other.searchParams.append('sessionId', 'another');
    expect((await post(other.href, PING)).status).toBe(400);
    for (const odd of ['__proto__', 'constructor', '%00', '']) {
      const { href } = new URL(`/messages?sessionId=${odd}`, url);
      expect((await post(href, PING)).status).toBe(404);
    }
  });
});

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
