import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startRedis } from '../../../test/cluster/support/redis-server.mjs';
import { answer, join, record, request, until } from './support/nodes.ts';

let server: Awaited<ReturnType<typeof startRedis>>;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

/** Everything that Redis holds, as text. */
async function dump(prefix: string): Promise<string> {
  const client = new Redis(server.url);
  const texts: string[] = [];
  for (const key of await client.keys(`${prefix}*`)) {
    const type = await client.type(key);
    if (type === 'hash') texts.push(...Object.entries(await client.hgetall(key)).flat());
    if (type === 'string') texts.push(String(await client.get(key)));
    if (type === 'stream') texts.push(JSON.stringify(await client.xrange(key, '-', '+')));
    texts.push(key);
  }
  client.disconnect();
  return texts.join('\n');
}

it('leaves nothing readable in Redis: neither what sessions say nor their ids', async () => {
  const given = { prefix: 'sealed:', encrypt: { keys: [randomBytes(32).toString('base64')] } };
  const [a, b] = [await join(server.url, given), await join(server.url, given)];
  const { sessions, events } = a.node.stores;
  await sessions.create(record('secret-id', { principal: 'secret-ada', resume: 'secret-resume' }));
  const initialize = { jsonrpc: '2.0', id: 1, method: 'secret-initialize' } as const;
  await sessions.update('secret-id', { initialize, logLevel: 'secret-level' });
  const begun = request('x');
  const message = { jsonrpc: '2.0', id: 'x', method: 'secret-method' } as const;
  await a.node.begin('secret-id', { ...begun, message });
  a.node.readAt('secret-id', 1, { node: b.node.name, reader: 'secret-reader' });
  const said = { ...answer(1, 'x'), data: '{"text":"secret-answer"}' };
  await events.append('secret-id', said);
  await a.node.begin('secret-id', { ...begun, id: 'y', message: { ...message, id: 'y' } });
  await a.node.send(b.node.name, { kind: 'secret-kind', session: 'secret-id' });
  await until(() => b.told.received.length === 1 && b.told.published.length === 1);
  expect(await dump('sealed:')).not.toContain('secret');
  expect(b.told.published).toEqual([
    { reader: 'secret-reader', sessionId: 'secret-id', event: said },
  ]);
  expect((await b.node.stores.sessions.findByResume('secret-ada', 'secret-resume'))?.id).toBe(
    'secret-id',
  );
  await Promise.all([a.node.leave(), b.node.leave()]);
});

it('is rotated: the first key seals, all of them open, and one that is gone is named', async () => {
  const [old, next] = [randomBytes(32), randomBytes(64)];
  const with_ = (...keys: Uint8Array[]) => ({ prefix: 'rotated:', encrypt: { keys } });
  const a = await join(server.url, with_(old));
  await a.node.stores.sessions.create(record('one'));
  await a.node.leave();
  const b = await join(server.url, with_(next, old));
  expect(await b.node.locate('one')).toMatchObject({
    at: 'taken',
    taken: { record: record('one') },
  });
  await b.node.stores.sessions.create(record('two'));
  await b.node.leave();
  // What the old one has sealed and is still there opens without it.
  const c = await join(server.url, with_(next));
  expect(c.node.requestStateKeys).toEqual(b.node.requestStateKeys);
  expect(await c.node.locate('two')).toMatchObject({ at: 'taken' });
  await c.node.leave();
  await expect(join(server.url, with_(randomBytes(32)))).rejects.toThrow(
    /no key of redis\(…, \{ encrypt \}\) has the id/,
  );
});

it('is turned on and rotated node by node, and no node starts whose keys are not those of the others', async () => {
  const [old, next] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
  const step = (...keys: string[]) => join(server.url, { prefix: 'steps:', encrypt: { keys } });
  let nodes = [await step('plain'), await join(server.url, { prefix: 'steps:' })];
  await nodes[0]!.node.stores.sessions.create(record('one'));
  await expect(step(old)).rejects.toThrow(
    /does not have the key that this one encrypts with: give all of them the new key behind/,
  );
  await expect(step(old, 'plain')).rejects.toThrow('does not have the key that this one encrypts');
  const steps = [['plain', old], [old, 'plain'], [old], [old, next], [next, old], [next]];
  for (const keys of steps) {
    const [before, after] = [nodes, [] as typeof nodes];
    for (const left of before) {
      const joined = await step(...keys);
      after.push(joined);
      // Both sides of the step understand each other.
      await left.node.send(joined.node.name, { kind: 'hello', session: keys.join() });
      await joined.node.send(left.node.name, { kind: 'hello', session: keys.join() });
      await until(() => left.told.received.length > 0 && joined.told.received.length > 0);
      await left.node.leave();
      // What is busy for as long as that is sealed anew with each owner.
      expect(await joined.node.locate('one')).toMatchObject({
        at: expect.stringMatching(/taken|elsewhere/),
      });
      expect([...left.told.unread, ...joined.told.unread]).toEqual([]);
    }
    nodes = after;
    if (keys[0] === next && keys.length > 1) {
      await expect(step(old)).rejects.toThrow('encrypts with a key that this one does not have');
    }
  }
  await Promise.all(nodes.map(({ node }) => node.leave()));
  await expect(step(old)).rejects.toThrow('no key of redis');
});
