import { ClusterAwayError } from '@longwire/server';
import { Redis } from 'ioredis';
import { mkdir, rm } from 'node:fs/promises';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { startRedisCluster } from '../../../test/cluster/support/redis-cluster.mjs';
import { startRedis } from '../../../test/cluster/support/redis-server.mjs';
import { join, notification, record, request, until, type JoinedNode } from './support/nodes.ts';

/** Closed after each test, the last one first. */
const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

const PASSWORD = 'a-password-of-nobody';
const OPTIONS = { leaseMs: 400, waitMs: 600 };

/** What a Redis may say instead of doing what it is asked, how it comes to that, and how it ends. */
interface Refusing {
  readonly says: RegExp;
  /** It can be read. */
  readonly isReadable?: boolean;
  readonly args?: readonly string[];
  cause(admin: Redis): Promise<unknown>;
  mend(admin: Redis): Promise<unknown>;
}

/** Another connection, which may be kept busy. */
function another(admin: Redis): Redis {
  const client = admin.duplicate();
  client.on('error', () => {});
  opened.push(() => client.disconnect());
  return client;
}

const acl = async (admin: Redis, ...rules: string[]): Promise<unknown> =>
  admin.call('ACL', 'SETUSER', 'app', ...rules);

async function folderOf(admin: Redis): Promise<string> {
  const [, folder] = (await admin.config('GET', 'dir')) as string[];
  return folder ?? '';
}

const REFUSING: Record<string, Refusing> = {
  'a primary that is a replica now': {
    says: /READONLY/,
    isReadable: true,
    cause: async (admin) => admin.call('REPLICAOF', '127.0.0.1', '1'),
    mend: async (admin) => admin.call('REPLICAOF', 'NO', 'ONE'),
  },
  'a replica without its primary': {
    says: /MASTERDOWN|READONLY/,
    args: ['--replica-serve-stale-data', 'no'],
    cause: async (admin) => admin.call('REPLICAOF', '127.0.0.1', '1'),
    mend: async (admin) => admin.call('REPLICAOF', 'NO', 'ONE'),
  },
  'one that loads its data': {
    says: /LOADING/,
    args: ['--enable-debug-command', 'yes', '--loading-process-events-interval-bytes', '1024'],
    cause: async (admin) => {
      const many = Array.from({ length: 3_000 }, (_, index) => [`other:${index}`, 'x'.repeat(100)]);
      await admin.mset(...many.flat());
      await admin.config('SET', 'key-load-delay', '1000');
      another(admin)
        .call('DEBUG', 'RELOAD')
        .catch(() => {});
      await until(async () => String(await admin.ping().catch(String)).includes('LOADING'));
    },
    mend: async (admin) => until(async () => (await admin.ping().catch(String)) === 'PONG'),
  },
  'one that cannot save': {
    says: /MISCONF/,
    isReadable: true,
    cause: async (admin) => {
      // What is written cannot take its place.
      await mkdir(`${await folderOf(admin)}/dump.rdb/full`, { recursive: true });
      await admin.config('SET', 'save', '3600 1');
      await admin.bgsave();
      await until(async () => (await admin.info('persistence')).includes('bgsave_status:err'));
    },
    mend: async (admin) => {
      await rm(`${await folderOf(admin)}/dump.rdb`, { recursive: true });
      await admin.config('SET', 'save', '');
      await admin.bgsave();
      await until(async () => (await admin.info('persistence')).includes('bgsave_status:ok'));
    },
  },
  'one that wants replicas': {
    says: /NOREPLICAS/,
    isReadable: true,
    cause: async (admin) => admin.config('SET', 'min-replicas-to-write', '1'),
    mend: async (admin) => admin.config('SET', 'min-replicas-to-write', '0'),
  },
  'one that runs a script of somebody else': {
    says: /BUSY/,
    cause: async (admin) => {
      await admin.config('SET', 'busy-reply-threshold', '50');
      another(admin)
        .eval('while true do end', 0)
        .catch(() => {});
      await until(async () => String(await admin.ping().catch(String)).includes('BUSY'));
    },
    mend: async (admin) => admin.script('KILL'),
  },
  'one that allows the user less': {
    says: /NOPERM/,
    cause: async (admin) => acl(admin, '-evalsha', '-eval'),
    mend: async (admin) => acl(admin, '+@all'),
  },
  'one whose password is another one': {
    says: /WRONGPASS/,
    cause: async (admin) => {
      await acl(admin, 'resetpass', '>another-password');
      await admin.client('KILL', 'USER', 'app');
    },
    mend: async (admin) => acl(admin, `>${PASSWORD}`),
  },
  'one that has too many clients': {
    says: /max number of clients|EPIPE|ECONNRESET|closed/,
    cause: async (admin) => {
      await admin.config('SET', 'maxclients', '1');
      await admin.client('KILL', 'USER', 'app');
    },
    mend: async (admin) => admin.config('SET', 'maxclients', '1000'),
  },
};

async function joined(...given: Parameters<typeof join>): Promise<JoinedNode> {
  const made = await join(...given);
  opened.push(() => made.node.leave());
  return made;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.message}; ${reasonOf(error.cause)}` : String(error);
}

/** Refused as away, for a reason that says why, and without the password. */
async function expectAway(asked: unknown, says: RegExp): Promise<void> {
  const error = await Promise.resolve(asked).then(
    () => undefined,
    (failed: unknown) => failed,
  );
  expect(error).toBeInstanceOf(ClusterAwayError);
  expect(reasonOf(error)).toMatch(says);
  expect(inspect(error, { depth: null })).not.toContain(PASSWORD);
}

/** A session of before is as it was, and both nodes do what they did. */
async function expectWell(a: JoinedNode, b: JoinedNode): Promise<void> {
  await until(() => a.node.isUp && b.node.isUp);
  await until(() => a.node.isSurelyHere('one'));
  await a.node.begin('one', request(9));
  const before = b.told.received.length;
  await until(() => a.node.send(b.node.name, { kind: 'x', session: '' }));
  await until(() => b.told.received.length > before);
  a.node.readAt('one', 0, { node: b.node.name, reader: 'r' });
  await until(async () => {
    const { length } = (await a.node.stores.events.readAfter('one', 0)).events;
    await a.node.stores.events.append('one', notification(length + 1));
    return b.told.published.length > 0;
  });
  expect(await b.node.locate('one')).toMatchObject({ at: 'elsewhere', node: a.node.name });
  expect([a.told.lost, b.told.lost]).toEqual([[], []]);
}

describe('a Redis that refuses', () => {
  it.each(Object.entries(REFUSING))(
    '%s: is waited for within limits, says why, and is used again',
    async (_, { says, isReadable = false, args = [], cause, mend }) => {
      const server = await startRedis({ args });
      opened.push(() => server.stop());
      const admin = new Redis(server.url);
      admin.on('error', () => {});
      opened.push(() => admin.disconnect());
      await acl(admin, 'on', `>${PASSWORD}`, '~*', '&*', '+@all');
      const url = `redis://app:${PASSWORD}@127.0.0.1:${server.port}`;
      const [a, b] = [await joined(url, OPTIONS), await joined(url, OPTIONS)];
      await a.node.stores.sessions.create(record('one'));
      await cause(admin);
      await Promise.all([
        expectAway(a.node.begin('one', request(1)), says),
        expectAway(a.node.stores.sessions.create(record('two')), says),
        isReadable || expectAway(b.node.locate('one'), says),
      ]);
      await until(() => !a.node.isUp || !b.node.isUp);
      // What must be kept waits longer than requests do.
      const kept = a.node.stores.events.append('one', notification(1));
      await mend(admin);
      await kept;
      await expectWell(a, b);
    },
  );

  it('whose scripts were forgotten is told them again', async () => {
    const server = await startRedis();
    opened.push(() => server.stop());
    const [a, b] = [await joined(server.url, OPTIONS), await joined(server.url, OPTIONS)];
    await a.node.stores.sessions.create(record('one'));
    const admin = new Redis(server.url);
    opened.push(() => admin.disconnect());
    await admin.script('FLUSH');
    await expectWell(a, b);
  });

  it('as a Redis Cluster without one of its shards is waited for, and used again', async () => {
    const { urls, servers, stop } = await startRedisCluster({ deadAfterMs: 1_000 });
    opened.push(stop);
    const [a, b] = [await joined(urls, OPTIONS), await joined(urls, OPTIONS)];
    await a.node.stores.sessions.create(record('one'));
    await servers[2]?.server.kill();
    await until(() => !a.node.isUp || !b.node.isUp);
    await expectAway(
      (async () => {
        for (let id = 1; ; id++) await a.node.stores.sessions.create(record(`more-${id}`));
      })(),
      /CLUSTERDOWN|cluster|closed|refused/i,
    );
    await servers[2]?.server.start();
    await expectWell(a, b);
  });
});
