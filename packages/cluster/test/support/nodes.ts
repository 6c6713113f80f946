import type {
  BegunRequest,
  ClusterNode,
  Joining,
  LoggedEvent,
  NodeMessage,
  SessionRecord,
} from '@longwire/server';
import { redis, type RedisOptions } from '@longwire/cluster';

/** What a node was told, in order. */
export interface Told {
  readonly received: { message: NodeMessage; from: string }[];
  readonly published: { reader: string; sessionId: string; event: LoggedEvent }[];
  readonly missed: number[];
  readonly gone: string[];
  readonly lost: string[];
  /** What it said of things that it cannot read, as `KIND: REASON`. */
  readonly unread: string[];
}

export interface JoinedNode {
  readonly node: ClusterNode;
  readonly told: Told;
}

export interface JoinOptions extends RedisOptions {
  readonly mount?: string;
  readonly sessionIdleMs?: number;
  readonly eventLog?: { maxBytes?: number; maxTotalBytes?: number; maxAgeMs?: number };
}

/** Joins a node, and keeps what it is told. */
export async function join(
  url: string | readonly string[],
  { mount = '', sessionIdleMs = 600_000, eventLog, ...options }: JoinOptions = {},
): Promise<JoinedNode> {
  const told: Told = { received: [], published: [], missed: [], gone: [], lost: [], unread: [] };
  const node = await redis(url, options).join({
    mount,
    log: logTo(told.unread),
    eventLog: { maxBytes: 2 ** 21, maxTotalBytes: 2 ** 27, maxAgeMs: 300_000, ...eventLog },
    sessionIdleMs,
    handlers: {
      received: (message, from) => told.received.push({ message, from }),
      published: (reader, sessionId, event) => told.published.push({ reader, sessionId, event }),
      missed: () => told.missed.push(performance.now()),
      gone: (other) => told.gone.push(other),
      lost: (sessionId) => told.lost.push(sessionId),
    },
  });
  return { node, told };
}

/** A log of which only errors with a kind and a reason count. */
function logTo(unread: string[]): Joining['log'] {
  const error = ({ kind, reason }: { kind?: string; reason?: string }): void => {
    if (kind !== undefined) unread.push(`${kind}: ${reason}`);
  };
  return { error, warn: () => {} } as unknown as Joining['log'];
}

export function record(id: string, more: Partial<SessionRecord> = {}): SessionRecord {
  return {
    id,
    principal: 'ada',
    transport: 'streamable-http',
    createdAt: 1_000,
    lastActivityAt: 1_000,
    isInitialized: false,
    subscriptions: [],
    ...more,
  };
}

export function request(id: number | string, stream = 1): BegunRequest {
  const message = { jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'pay' } } as const;
  return { id, digest: `digest-${id}`, stream, message };
}

export function answer(seq: number, id: number | string, stream = 1): LoggedEvent {
  const data = JSON.stringify({ jsonrpc: '2.0', id, result: { seq } });
  return { seq, stream, data, about: { kind: 'answer', id: JSON.stringify(id) } };
}

export function notification(seq: number, stream = 0): LoggedEvent {
  return { seq, stream, data: JSON.stringify({ jsonrpc: '2.0', method: 'n', params: { seq } }) };
}

/** Waits until something is so. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  withinMs = 60_000,
): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`not so within ${withinMs} ms: ${String(isSo)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
