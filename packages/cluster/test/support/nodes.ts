import type {
  BegunRequest,
  ClusterNode,
  Joining,
  LoggedEvent,
  NodeMessage,
  SessionRecord,
} from '@longwire/server';
import { redis, type RedisOptions } from '@longwire/cluster';
import { connect } from '../../src/connect.ts';
import { Keys } from '../../src/keys.ts';
import { RedisNode } from '../../src/node/redis-node.ts';
import type { KnownForms } from '../../src/node/stored-form.ts';
import { resolveRedisOptions } from '../../src/options.ts';

/** What a node was told, in order. */
export interface Told {
  readonly received: { message: NodeMessage; from: string }[];
  readonly published: { reader: string; sessionId: string; event: LoggedEvent }[];
  readonly missed: number[];
  readonly gone: string[];
  readonly lost: string[];
  /** What it said of things that it cannot read, as `KIND: REASON`. */
  readonly unread: string[];
  /** The other errors of its log. */
  readonly errors: string[];
}

export interface JoinedNode {
  readonly node: ClusterNode;
  readonly told: Told;
}

export interface JoinOptions extends RedisOptions {
  readonly mount?: string;
  /** Of another version. Default: of this one, joined as a program does. */
  readonly forms?: KnownForms;
  readonly sessionIdleMs?: number;
  readonly eventLog?: { maxBytes?: number; maxTotalBytes?: number; maxAgeMs?: number };
}

/** Joins a node, and keeps what it is told. */
export async function join(
  url: string | readonly string[],
  { mount = '', sessionIdleMs = 600_000, eventLog, forms, ...options }: JoinOptions = {},
): Promise<JoinedNode> {
  const told: Told = {
    received: [],
    published: [],
    missed: [],
    gone: [],
    lost: [],
    unread: [],
    errors: [],
  };
  const joining: Joining = {
    mount,
    log: logTo(told),
    eventLog: { maxBytes: 2 ** 21, maxTotalBytes: 2 ** 27, maxAgeMs: 300_000, ...eventLog },
    sessionIdleMs,
    handlers: {
      received: (message, from) => told.received.push({ message, from }),
      published: (reader, sessionId, event) => told.published.push({ reader, sessionId, event }),
      missed: () => told.missed.push(performance.now()),
      gone: (other) => told.gone.push(other),
      lost: (sessionId) => told.lost.push(sessionId),
    },
  };
  if (forms === undefined) return { node: await redis(url, options).join(joining), told };
  const resolved = resolveRedisOptions(options);
  const node = new RedisNode({
    connection: await connect(url, options, mount),
    keys: new Keys(resolved.prefix, mount),
    options: resolved,
    joining,
    forms,
  });
  await node.start();
  return { node, told };
}

function logTo({ unread, errors }: Told): Joining['log'] {
  const error = ({ kind, reason, message }: { kind?: string; reason?: string } & Error): void => {
    if (reason === undefined) errors.push(message);
    else unread.push(`${kind}: ${reason}`);
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
