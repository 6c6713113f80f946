import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog, EventLogOptions, SessionStore } from '@longwire/server';
import { afterAll, beforeAll } from 'vitest';
import { startRedis } from '../../../test/cluster/support/redis-server.mjs';
import { describeEventLog } from '../../server/test/contracts/event-log.ts';
import type { Make } from '../../server/test/contracts/made.ts';
import { describeSessionStore } from '../../server/test/contracts/session-store.ts';
import { join, record, type JoinOptions } from './support/nodes.ts';

let server: Awaited<ReturnType<typeof startRedis>>;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

let mounts = 0;
const ENCRYPTED: JoinOptions = { encrypt: { keys: [randomBytes(32)] } };

/** What one node writes, another one reads. */
function makeStore(options: JoinOptions): Make<SessionStore> {
  return async () => {
    const given = { ...options, mount: `/contract-${++mounts}` };
    const { node: owner } = await join(server.url, given);
    const { node: other } = await join(server.url, given);
    const { sessions } = owner.stores;
    return {
      store: {
        create: (created) => sessions.create(created),
        update: (id, changes) => sessions.update(id, changes),
        delete: (id) => sessions.delete(id),
        get: (id) => other.stores.sessions.get(id),
        findByResume: (principal, resume) => other.stores.sessions.findByResume(principal, resume),
        count: (principal) => other.stores.sessions.count(principal),
      },
      advance: (milliseconds) => sleep(milliseconds),
      close: async () => {
        await Promise.all([owner.leave(), other.leave()]);
      },
    };
  };
}

/** Sessions are there before they say something. Their owner reads, or another node. */
function makeLog(
  options: JoinOptions & { readonly reads: 'owner' | 'other' },
): Make<EventLog, EventLogOptions> {
  return async (eventLog) => {
    const { reads, ...given } = options;
    const all = { ...given, eventLog, mount: `/contract-${++mounts}` };
    const { node: owner } = await join(server.url, all);
    const { node: other } = await join(server.url, all);
    const { sessions, events } = owner.stores;
    const created = new Map<string, unknown>();
    const pending = new Set<unknown>();
    return {
      store: {
        append: (id, event) => {
          if (!created.has(id)) created.set(id, sessions.create(record(id)));
          const appended = Promise.resolve(events.append(id, event));
          pending.add(appended);
          return appended.finally(() => pending.delete(appended));
        },
        readAfter: async (id, seq, stream) => {
          if (reads === 'owner') return events.readAfter(id, seq, stream);
          await Promise.all(pending);
          // What the owner drops is told to Redis before the owner has read something.
          await events.readAfter(id, seq, stream);
          return other.stores.events.readAfter(id, seq, stream);
        },
        delete: async (id) => {
          await events.delete(id);
          await sessions.delete(id);
          created.delete(id);
        },
        get bytes() {
          return events.bytes;
        },
      },
      advance: (milliseconds) => sleep(milliseconds),
      close: async () => {
        await Promise.all(created.values());
        await Promise.all([owner.leave(), other.leave()]);
      },
    };
  };
}

describeSessionStore('RedisSessionStore', makeStore({}));
describeSessionStore('RedisSessionStore with encryption', makeStore(ENCRYPTED));
describeEventLog('RedisEventLog', makeLog({ reads: 'owner' }), { runs: 20 });
describeEventLog('RedisEventLog read by another node', makeLog({ reads: 'other' }), { runs: 20 });
describeEventLog('RedisEventLog with encryption', makeLog({ reads: 'owner', ...ENCRYPTED }), {
  runs: 10,
});
