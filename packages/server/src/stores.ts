import { InMemoryServerEventBus, type ServerEventBus } from '@modelcontextprotocol/server';
import type { FastifyBaseLogger } from 'fastify';
import type { EventLog } from './events/event-log.js';
import {
  MemoryEventLog,
  resolveEventLog,
  type EventLogOptions,
} from './events/memory-event-log.js';
import { MemoryRevocationStore, type RevocationStore } from './auth/revocation-store.js';
import { checkNames } from './check-options.js';
import { MemoryRateStore } from './limits/memory-rate-store.js';
import { MemoryWorkQueue } from './limits/memory-work-queue.js';
import type { RateStore } from './limits/rate-store.js';
import type { WorkQueue } from './limits/work-queue.js';
import { fullEventLog } from './operate/log.js';
import { MemorySessionStore, type SessionStore } from './sessions/session-store.js';
import { MemoryTaskStore } from './tasks/memory-task-store.js';
import type { TaskStore } from './tasks/task-store.js';

/** What sessions, and what is kept for them, are stored in. Default: the memory of this process. */
export interface Stores {
  sessions?: SessionStore;
  events?: EventLog;
  /** What open streams of `subscriptions/listen` are told of. */
  bus?: ServerEventBus;
  rates?: RateStore;
  queue?: WorkQueue;
  tasks?: TaskStore;
  /** API keys that were revoked while the server runs. */
  revocations?: RevocationStore;
}

/** What each of them must be able to do. A store that cannot would fail at its first use only. */
const METHODS: { readonly [Name in keyof Stores]-?: readonly (keyof Required<Stores>[Name])[] } = {
  sessions: ['create', 'get', 'findByResume', 'update', 'delete', 'count'],
  events: ['append', 'readAfter', 'delete'],
  bus: ['publish', 'subscribe'],
  rates: ['take'],
  queue: ['acquire', 'depth'],
  tasks: ['create', 'get', 'update', 'delete', 'list'],
  revocations: ['revoke', 'isRevoked', 'listen'],
};

/**
 * Checks the stores and fills in those of the cluster, or else of this process.
 *
 * @throws TypeError that names the wrong one, and what it lacks.
 */
export function resolveStores(
  { stores = {}, eventLog }: { stores?: Stores; eventLog?: EventLogOptions },
  log: FastifyBaseLogger | undefined,
  shared?: Stores,
): Required<Stores> {
  const names = Object.keys(METHODS) as (keyof Stores)[];
  checkNames('stores', stores, names);
  for (const name of names) {
    const given = stores[name] as Readonly<Record<string, unknown>> | null | undefined;
    if (given === undefined) continue;
    if (typeof given?.['then'] === 'function') {
      throw new TypeError(`stores.${name} is a promise: await it first`);
    }
    const missing = METHODS[name].filter((method) => typeof given?.[method] !== 'function');
    if (missing.length === 0) continue;
    throw new TypeError(`stores.${name} must have the methods ${missing.join(', ')}`);
  }
  if (shared !== undefined) {
    for (const name of ['sessions', 'events'] as const) {
      if (stores[name] === undefined) continue;
      throw new TypeError(`stores.${name} cannot be given with cluster, which has its own`);
    }
  }
  const events = resolveEventLog(eventLog);
  const failed = (error: Error): void => log?.error(error, 'a listener of the event bus failed');
  const known: Stores = { ...shared, ...stores };
  return {
    sessions: known.sessions ?? new MemorySessionStore(),
    events: known.events ?? new MemoryEventLog(events, fullEventLog(log)),
    bus: known.bus ?? new InMemoryServerEventBus(failed),
    rates: known.rates ?? new MemoryRateStore(),
    queue: known.queue ?? new MemoryWorkQueue(),
    tasks: known.tasks ?? new MemoryTaskStore(),
    revocations: known.revocations ?? new MemoryRevocationStore(),
  };
}
