import { randomBytes } from 'node:crypto';
import { request } from 'undici';
import { describe, expect, it } from 'vitest';
import type { ServeOptions } from '../../src/index.ts';
import type { Stores } from '../../src/stores.ts';
import * as fixture from '../fixture.ts';
import { PING, answerIn, call, deferred, endpointOf, opened, post, stream } from '../fixture.ts';
import type { RawStream } from '../raw-stream.ts';
import { SlowEventLog } from './slow-event-log.ts';

/** The logs with which all of this holds. */
const LOGS: readonly [string, () => Stores][] = [
  ['a log in memory', () => ({})],
  ['a log that takes its time', () => ({ events: new SlowEventLog() })],
];

/** Who a request is for, by a header that anybody can send. */
const auth = ({ headers }: { headers: Record<string, unknown> }): { id: string } => ({
  id: typeof headers['x-who'] === 'string' ? headers['x-who'] : 'a',
});

const key = (): string => randomBytes(16).toString('hex');

/** The answers and requests of a stream, so many. */
async function messages(raw: RawStream, count: number): Promise<{ id?: unknown }[]> {
  const found: { id?: unknown }[] = [];
  while (found.length < count) {
    const message = JSON.parse(await raw.nextOf('message')) as { id?: unknown };
    if (message.id !== undefined) found.push(message);
  }
  return found;
}

describe.each(LOGS)('with %s,', (_name, stores) => {
  const serving = (options: Partial<ServeOptions> = {}): ReturnType<typeof fixture.serving> =>
    fixture.serving({ stores: stores(), ...options });

  describe('an HTTP+SSE session whose stream was lost', () => {
    it('is resumed by Last-Event-ID: what was missed comes in order, once, on the same endpoint', async () => {
      const { url, samples } = await serving();
      const first = await stream(url);
      const { data = '', id = '' } = (await first.next()) ?? {};
      const endpoint = new URL(data, url).href;
      await post(endpoint, PING);
      const [event] = [await first.next()];
      await post(endpoint, call(2, 'count', { to: 3 }));
      first.close();
      samples[0]!.release();
      await post(endpoint, { ...PING, id: 3 });
      const resumed = await stream(url, { 'last-event-id': event?.id ?? '' });
      expect(await resumed.nextOf('endpoint')).toBe(data);
      const ids = (await messages(resumed, 2)).map((message) => message.id);
      expect(new Set(ids)).toEqual(new Set([2, 3]));
      const whole = await stream(url, { 'last-event-id': id });
      expect((await messages(whole, 3)).map((message) => message.id)).toEqual([1, ...ids]);
      expect(samples).toHaveLength(1);
    });

    it('is resumed by its key: answers and unanswered requests come again, and nothing else', async () => {
      const { url, samples } = await serving();
      const resumable = `${url}?resume=${key()}`;
      const first = await stream(resumable);
      const endpoint = await endpointOf(first, url);
      await post(endpoint, {
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: {
          protocolVersion: '2025-06-18',
          capabilities: { roots: {} },
          clientInfo: { name: 'c', version: '1' },
        },
      });
      await first.nextOf('message');
      await post(endpoint, call(2, 'grow'));
      await post(endpoint, call(3, 'ask'));
      await messages(first, 2);
      first.close();
      const again = await stream(resumable);
      expect(await endpointOf(again, url)).toBe(endpoint);
      const found = (await messages(again, 3)) as { id: unknown; method?: string }[];
      expect(found.map(({ id, method }) => method ?? id)).toEqual([1, 2, 'roots/list']);
      await post(endpoint, {
        jsonrpc: '2.0',
        id: found[2]!.id,
        result: { roots: [{ uri: 'file:///x' }] },
      });
      expect(await messages(again, 1)).toMatchObject([
        { id: 3, result: { content: [{ text: 'file:///x' }] } },
      ]);
      expect(samples).toHaveLength(1);
    });

    it('is asked again only what its client has not answered, also by a server that was rebuilt', async () => {
      const { url, samples } = await serving({ hibernate: true, hibernateMs: 1_000 });
      const resumable = `${url}?resume=${key()}`;
      const first = await stream(resumable);
      const endpoint = await endpointOf(first, url);
      const clientInfo = { name: 'c', version: '1' };
      const params = { protocolVersion: '2025-06-18', capabilities: { roots: {} }, clientInfo };
      await post(endpoint, { jsonrpc: '2.0', id: 1, method: 'initialize', params });
      await first.nextOf('message');
      await post(endpoint, { jsonrpc: '2.0', method: 'notifications/initialized' });
      await post(endpoint, call(2, 'ask'));
      const [{ id } = {}] = await messages(first, 1);
      await post(endpoint, { jsonrpc: '2.0', id, result: { roots: [] } });
      await messages(first, 1);
      await samples[0]!.closed;
      await post(endpoint, call(3, 'ask'));
      expect(await messages(first, 1)).toMatchObject([{ id, method: 'roots/list' }]);
      first.close();
      const again = await stream(resumable);
      const found = (await messages(again, 3)) as { id: unknown; method?: string }[];
      expect(found.map((message) => message.method ?? message.id)).toEqual([1, 2, 'roots/list']);
    });

    it('is resumed by nobody else, who gets a session of their own', async () => {
      const { url, samples } = await serving({ auth });
      const resumable = `${url}?resume=${key()}`;
      const mine = await stream(resumable, { 'x-who': 'a' });
      const { data = '', id = '' } = (await mine.next()) ?? {};
      const endpoint = new URL(data, url).href;
      const byKey = await stream(resumable, { 'x-who': 'b' });
      expect(byKey.statusCode).toBe(200);
      expect(await endpointOf(byKey, url)).not.toBe(endpoint);
      const byCursor = await stream(url, { 'x-who': 'b', 'last-event-id': id });
      expect(byCursor.statusCode).toBe(200);
      expect(await endpointOf(byCursor, url)).not.toBe(endpoint);
      expect((await post(endpoint, PING, { 'x-who': 'b' })).status).toBe(404);
      expect((await post(endpoint, PING, { 'x-who': 'a' })).status).toBe(202);
      expect(samples).toHaveLength(3);
    });

    it('has one stream: the newest, and the one before is closed', async () => {
      const { url } = await serving();
      const resumable = `${url}?resume=${key()}`;
      const first = await stream(resumable);
      const endpoint = await endpointOf(first, url);
      const second = await stream(resumable);
      await endpointOf(second, url);
      expect(await first.next()).toBeUndefined();
      await post(endpoint, PING);
      expect(await messages(second, 1)).toMatchObject([{ id: 1 }]);
    });

    it.each(['x.1', `${'a'.repeat(32)}.1`, 'null'])(
      'becomes a new one for the cursor %s',
      async (id) => {
        const { url } = await serving();
        const raw = await stream(url, { 'last-event-id': id });
        expect(raw.statusCode).toBe(200);
        await endpointOf(raw, url);
      },
    );

    it('must have a key that cannot be guessed', async () => {
      const { url } = await serving();
      expect((await stream(`${url}?resume=mine`)).statusCode).toBe(400);
    });
  });

  describe('a request that is repeated', () => {
    it('does not run again over HTTP+SSE: it gets the answer of the first', async () => {
      const { url } = await serving();
      const raw = await stream(url);
      const endpoint = await endpointOf(raw, url);
      await post(endpoint, call(1, 'grow'));
      const [answer] = await messages(raw, 1);
      expect((await post(endpoint, call(1, 'grow'))).status).toBe(202);
      expect(await messages(raw, 1)).toEqual([answer]);
      expect((await post(endpoint, call(1, 'echo', { message: 'other' }))).status).toBe(202);
      expect(await messages(raw, 1)).toMatchObject([{ id: 1, result: {} }]);
    });

    it('is refused while another one of its id runs', async () => {
      const { url, samples } = await serving();
      const raw = await stream(url);
      const endpoint = await endpointOf(raw, url);
      await post(endpoint, call(1, 'wait'));
      await samples[0]!.waiting;
      expect((await post(endpoint, call(1, 'wait'))).status).toBe(202);
      const other = await post(endpoint, call(1, 'echo', { message: 'other' }));
      expect(JSON.parse(other.text)).toMatchObject({ error: { code: -32600 } });
    });
  });

  describe('a Streamable HTTP session', () => {
    it('resumes the answer to a POST whose connection broke', async () => {
      const { mcpUrl, samples } = await serving();
      const headers = await opened(mcpUrl);
      const broken = await request(mcpUrl, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(call(1, 'count', { to: 1 })),
      });
      expect(broken.headers['content-type']).toBe('text/event-stream');
      let id: string | undefined;
      for await (const chunk of broken.body) {
        id = /^id: (.*)$/m.exec(String(chunk))?.[1];
        if (id !== undefined) break;
      }
      const again = { ...headers, 'last-event-id': id ?? '' };
      // Broken once more before anything is said: its client need not remember where it was.
      const silent = await stream(mcpUrl, again);
      expect(await silent.next()).toMatchObject({ id, data: '' });
      silent.close();
      samples[0]!.release();
      const resumed = await stream(mcpUrl, again);
      expect(await messages(resumed, 1)).toMatchObject([
        { id: 1, result: { structuredContent: { to: 1 } } },
      ]);
      expect(await resumed.next()).toBeUndefined();
    });

    it('answers at once in JSON, and a repeated request with the same answer', async () => {
      const { mcpUrl } = await serving();
      const headers = await opened(mcpUrl);
      const first = await post(mcpUrl, call(1, 'grow'), headers);
      const again = await post(mcpUrl, call(1, 'grow'), headers);
      expect(answerIn(first.text)).toMatchObject({
        id: 1,
        result: { content: [{ text: 'grown' }] },
      });
      expect(answerIn(again.text)).toEqual(answerIn(first.text));
    });

    it('ends by DELETE, and is unknown afterwards', async () => {
      const { mcpUrl, samples } = await serving();
      const headers = await opened(mcpUrl);
      const answer = await request(mcpUrl, { method: 'DELETE', headers });
      expect(answer.statusCode).toBe(200);
      await samples[0]!.closed;
      expect((await post(mcpUrl, PING, headers)).status).toBe(404);
    });

    it('hibernates, and its next message finds a server that was initialized', async () => {
      const { mcpUrl, samples } = await serving({ hibernate: true, hibernateMs: 1_000 });
      const headers = await opened(mcpUrl);
      await post(mcpUrl, { jsonrpc: '2.0', method: 'notifications/initialized' }, headers);
      await samples[0]!.closed;
      const answer = await post(mcpUrl, call(1, 'echo', { message: 'awake' }), headers);
      expect(answer.text).toContain('awake');
      expect(samples).toHaveLength(2);
    });
  });

  it('cancels what runs, and frees the server, when a session is idle for too long', async () => {
    const { url, samples } = await serving({ sessionIdleMs: 50 });
    const raw = await stream(url);
    await post(await endpointOf(raw, url), call(1, 'wait'));
    const cancelled = deferred();
    (await samples[0]!.waiting).addEventListener('abort', cancelled.resolve);
    await cancelled.promise;
    await samples[0]!.closed;
  });
});
