import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ask } from './ask.ts';
import { attacked, sseSession, StreamableClient } from './attacked.ts';

const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };
const GUESS = randomBytes(24).toString('base64url');

/** Ids that are something else to a careless program. */
const ODD_IDS = [
  '__proto__',
  'constructor',
  'hasOwnProperty',
  '',
  ' ',
  '../../mcp',
  'a'.repeat(10_000),
  "' or 1=1 --",
];

describe('the id of a session', () => {
  it.each([
    ['guessed', GUESS],
    ...ODD_IDS.map((id): [string, string] => [JSON.stringify(id.slice(0, 20)), id]),
  ] satisfies [string, string][])('%s opens nothing', async (_what, id) => {
    const server = await attacked();
    const { origin } = server;
    const sse = `${origin}/messages?sessionId=${encodeURIComponent(id)}`;
    expect((await ask(sse, { body: PING })).status).toBe(404);
    server.expectRefusalLogged(404, /no such session/);
    const url = `${origin}/mcp`;
    const headers = { 'mcp-session-id': id };
    for (const method of ['POST', 'GET', 'DELETE'] as const) {
      const { status } = await ask(url, {
        method,
        headers,
        ...(method === 'POST' && { body: PING }),
      });
      // An id without a character is none.
      expect([method, status]).toEqual([method, id.trim() === '' ? 400 : 404]);
    }
    await server.expectAlive();
  });

  it.each(['%00', '%0d%0aset-cookie:%20a=b', 'a%00b', '%ff%fe'])(
    'with %s in it is unknown, and comes back in no header',
    async (encoded) => {
      const server = await attacked();
      const answer = await ask(`${server.origin}/messages?sessionId=${encoded}`, { body: PING });
      expect(answer.status).toBe(404);
      expect(answer.headers).not.toHaveProperty('set-cookie');
      await server.expectAlive();
    },
  );

  it('of somebody else is as unknown as any other, and harms its owner in nothing', async () => {
    const server = await attacked();
    const { origin } = server;
    const alice = await StreamableClient.open(origin, 'alice');
    const aliceSse = await sseSession(origin, 'alice');
    const mallory = { 'x-user': 'mallory' };
    const stolen = { ...mallory, 'mcp-session-id': alice.id };
    const known = [
      await ask(alice.url, { body: PING, headers: stolen }),
      await ask(alice.url, { method: 'GET', headers: stolen }),
      await ask(alice.url, { method: 'DELETE', headers: stolen }),
      await ask(aliceSse.endpoint, { body: PING, headers: mallory }),
    ];
    const unknown = await ask(alice.url, {
      body: PING,
      headers: { ...mallory, 'mcp-session-id': GUESS },
    });
    for (const { status } of known) expect(status).toBe(404);
    // Not even whether the id exists can be told.
    expect(known[0]!.text).toBe(unknown.text);
    server.expectRefusalLogged(404, /no such session/);
    expect((await alice.call('note', { text: 'mine' })).message).toHaveProperty('result');
    expect(
      (await ask(aliceSse.endpoint, { body: PING, headers: { 'x-user': 'alice' } })).status,
    ).toBe(202);
    expect(JSON.parse(await aliceSse.raw.nextOf('message'))).toMatchObject({ id: 1, result: {} });
    await server.expectAlive();
    const log = JSON.stringify(server.lines);
    expect(log).not.toContain(alice.id);
    expect(log).not.toContain(aliceSse.id);
  });
});

describe('a resume key', () => {
  const key = randomBytes(16).toString('base64url');

  it('of somebody else opens a session of its own, which sees nothing', async () => {
    const server = await attacked();
    const { origin } = server;
    const alice = await sseSession(origin, 'alice', { query: `?resume=${key}` });
    const asAlice = { 'x-user': 'alice' };
    await ask(alice.endpoint, { body: PING, headers: asAlice });
    expect(JSON.parse(await alice.raw.nextOf('message'))).toMatchObject({ id: 1 });

    const mallory = await sseSession(origin, 'mallory', {
      query: `?resume=${key}`,
      headers: { 'last-event-id': '0' },
    });
    expect(mallory.id).not.toBe(alice.id);
    const body = { ...PING, id: 'of mallory' };
    await ask(mallory.endpoint, { body, headers: { 'x-user': 'mallory' } });
    expect(JSON.parse(await mallory.raw.nextOf('message'))).toMatchObject({ id: 'of mallory' });

    // Alice's stream is still hers: the newest stream of a session wins, and this was another session.
    await ask(alice.endpoint, { body: { ...PING, id: 2 }, headers: asAlice });
    expect(JSON.parse(await alice.raw.nextOf('message'))).toMatchObject({ id: 2 });
    const again = await sseSession(origin, 'alice', { query: `?resume=${key}` });
    expect(again.id).toBe(alice.id);
    await server.expectAlive();
    expect(JSON.stringify(server.lines)).not.toContain(key);
  });

  it.each(['1', 'password', '0123456789'])(
    'that can be guessed (%s) resumes nothing',
    async (weak) => {
      const server = await attacked();
      const asked = await ask(`${server.origin}/sse?resume=${weak}`, {
        method: 'GET',
        headers: { 'x-user': 'alice' },
      });
      expect(asked.status).toBe(400);
      server.expectRefusalLogged(400, /128 bits/);
      await server.expectAlive();
    },
  );
});

describe('an event id', () => {
  it("of somebody else's session starts a fresh one", async () => {
    const server = await attacked();
    const { origin } = server;
    const alice = await sseSession(origin, 'alice');
    await ask(alice.endpoint, { body: PING, headers: { 'x-user': 'alice' } });
    let lastEventId: string | undefined;
    for (;;) {
      const event = await alice.raw.next();
      lastEventId = event?.id ?? lastEventId;
      if (event?.event === 'message') break;
    }
    expect(lastEventId).toBeTypeOf('string');
    const mallory = await sseSession(origin, 'mallory', {
      headers: { 'last-event-id': lastEventId ?? '' },
    });
    expect(mallory.id).not.toBe(alice.id);
    const body = { ...PING, id: 'first' };
    await ask(mallory.endpoint, { body, headers: { 'x-user': 'mallory' } });
    expect(JSON.parse(await mallory.raw.nextOf('message'))).toMatchObject({ id: 'first' });
    await server.expectAlive();
  });

  it.each(['-1', '9'.repeat(400), 'NaN', '__proto__', '1:2:3:4', '\t', '1e309'])(
    'that is none (%s) starts a fresh one',
    async (id) => {
      const server = await attacked();
      const raw = await sseSession(server.origin, 'alice', { headers: { 'last-event-id': id } });
      await ask(raw.endpoint, { body: PING, headers: { 'x-user': 'alice' } });
      expect(JSON.parse(await raw.raw.nextOf('message'))).toMatchObject({ id: 1 });
      await server.expectAlive();
    },
  );
});
