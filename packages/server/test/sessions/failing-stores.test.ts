import { describe, expect, it } from 'vitest';
import { MemoryEventLog } from '../../src/events/memory-event-log.ts';
import { MemorySessionStore } from '../../src/sessions/session-store.ts';
import { PING, call, endpointOf, opened, post, serving, stream } from '../fixture.ts';

const AWAY = 'the store is away';

/** A log that works until it is away. */
class UnreliableEventLog extends MemoryEventLog {
  isAway = false;

  override append(...args: Parameters<MemoryEventLog['append']>): void {
    if (this.isAway) throw new Error(AWAY);
    super.append(...args);
  }

  override readAfter(...args: Parameters<MemoryEventLog['readAfter']>): never {
    if (this.isAway) return Promise.reject(new Error(AWAY)) as never;
    return super.readAfter(...args) as never;
  }
}

/** A store that takes nothing but new sessions. */
class FailingSessionStore extends MemorySessionStore {
  override update(): never {
    return Promise.reject(new Error(AWAY)) as never;
  }

  override delete(id: string): never {
    super.delete(id);
    throw new Error(AWAY);
  }
}

/** A log that keeps nothing, as if all of it were too old. */
class ForgetfulEventLog extends MemoryEventLog {
  override readAfter(): { events: []; isComplete: boolean } {
    return { events: [], isComplete: false };
  }
}

describe('a session', () => {
  it('goes on where its store fails', async () => {
    const { url, samples } = await serving({ stores: { sessions: new FailingSessionStore() } });
    const raw = await stream(url);
    const endpoint = await endpointOf(raw, url);
    await post(endpoint, call(1, 'echo', { message: 'hi' }));
    expect(await raw.nextOf('message')).toContain('"hi"');
    samples[0]!.server.close().catch(() => {});
    expect(await raw.next()).toBeUndefined();
    await endpointOf(await stream(url), url);
  });

  it('answers while its log is away, and is resumed by nobody until it is back', async () => {
    const events = new UnreliableEventLog();
    const { url } = await serving({ stores: { events } });
    const raw = await stream(url);
    const { data = '', id = '' } = (await raw.next()) ?? {};
    const endpoint = new URL(data, url).href;
    events.isAway = true;
    await post(endpoint, PING);
    expect(await raw.nextOf('message')).toContain('"id":1');
    const during = await stream(url, { 'last-event-id': id });
    expect(during.statusCode).toBe(200);
    expect(await during.next()).toBeUndefined();
    events.isAway = false;
    // The answer to the ping is not in the log: what cannot be resumed is a new session.
    const after = await stream(url, { 'last-event-id': id });
    expect(await endpointOf(after, url)).not.toBe(endpoint);
  });

  it('of Streamable HTTP says which answers it does not have any more', async () => {
    const { mcpUrl } = await serving({ stores: { events: new ForgetfulEventLog() } });
    const headers = await opened(mcpUrl);
    const text = (await post(mcpUrl, call(1, 'grow'), headers)).text;
    expect(text).toContain('grown');
    const resumed = await stream(mcpUrl, { ...headers, 'last-event-id': '2.0' });
    expect(JSON.parse(await resumed.nextOf('message'))).toMatchObject({
      id: 1,
      error: { code: -32_600 },
    });
    expect(await resumed.next()).toBeUndefined();
  });

  it('of Streamable HTTP is not touched by its cursor at GET /sse', async () => {
    const { url, mcpUrl } = await serving();
    const headers = await opened(mcpUrl);
    const cursor = `${headers['mcp-session-id'] ?? ''}.5`;
    await endpointOf(await stream(url, { 'last-event-id': cursor }), url);
    expect((await post(mcpUrl, PING, headers)).status).toBe(200);
  });
});
