import type { ConnectionState } from '../connection/state.js';
import type { ErrorCode } from '../errors.js';
import type { BreakerState, BreakerStatus } from '../health/breaker.js';
import type { ClientStats } from '../health/stats.js';
import type { CacheStats } from '../middleware/cache.js';
import { serverAttributes, transportAttributes, type Attributes } from './attributes.js';
import * as names from './names.js';
import { peerOf } from './peer.js';

/** A client or a pool, as far as it is observed. */
export interface ObservedClient {
  readonly name: string;
  readonly state: ConnectionState;
  readonly protocolVersion?: string | undefined;
  stats(): Pick<ClientStats, 'reconnects' | 'calls' | 'connectedSince' | 'principals'>;
  /** Of a pool. */
  status?(): ObservedPoolStatus;
  on(event: 'state', listener: (state: ConnectionState) => void): () => void;
}

/** What a pool says of its connections. */
export interface ObservedPoolStatus {
  readonly waiting: number;
  readonly breaker?: Pick<BreakerStatus, 'state'> | undefined;
  readonly targets: readonly {
    readonly target: string;
    readonly busy: number;
    readonly idle: number;
    readonly ejectedMs: number;
  }[];
}

/** A server of a group, as its `status()` has it. */
export interface ObservedServer {
  readonly name: string;
  readonly target: string;
  readonly state: ConnectionState['name'];
  readonly disabled: boolean;
  readonly inFlight: number;
  readonly waiting: number;
  readonly breaker?: Pick<BreakerStatus, 'state'> | undefined;
  readonly reconnects: number;
}

/** A group, as far as it is observed. */
export interface ObservedGroup {
  readonly name: string;
  status(): readonly ObservedServer[];
  server(name: string): Pick<ObservedClient, 'protocolVersion' | 'stats'>;
  on(
    event: 'state',
    listener: (event: { server: string; state: ConnectionState }) => void,
  ): () => void;
}

/** A cache of results: what `cache()` makes. */
export interface ObservedCache {
  stats(): CacheStats;
}

/** What can be observed: a client, a pool, a group, or a cache. */
export type Observed = ObservedClient | ObservedGroup | ObservedCache;

/** One server as it is now. */
export interface ServerReading {
  readonly attributes: Attributes;
  /** `undefined` where there is neither a connection nor a wish for one. */
  readonly isUp: boolean | undefined;
  readonly inFlight: number;
  /** Calls of tools that failed, by the code of their error. */
  readonly failed: Readonly<Record<string, number>>;
  readonly waiting: number | undefined;
  /** Of the circuit breaker, if there is one. */
  readonly breaker: BreakerState | undefined;
  readonly reconnects: number;
  /** How many have a session of their own. */
  readonly principals: number | undefined;
  readonly pool: ObservedPoolStatus['targets'];
}

/** Reads what it observes. A server that was removed from a group is no longer there. */
export function readServers(source: ObservedClient | ObservedGroup): ServerReading[] {
  if (!isClient(source)) return source.status().map((server) => readMember(source, server));
  const { reconnects, calls, principals } = source.stats();
  const status = source.status?.();
  return [
    {
      attributes: placeOf(attributesOfClient(source)),
      isUp: isUp(source.state.name),
      inFlight: calls.inFlight,
      failed: calls.failed,
      waiting: status?.waiting,
      breaker: status?.breaker?.state,
      reconnects,
      principals,
      pool: status?.targets ?? [],
    },
  ];
}

function readMember(group: ObservedGroup, server: ObservedServer): ServerReading {
  const { state, disabled, inFlight, waiting, breaker, reconnects } = server;
  const stats = clientIn(group, server.name)?.stats();
  return {
    attributes: placeOf(attributesOfServer(server)),
    isUp: disabled ? undefined : isUp(state),
    inFlight,
    waiting,
    breaker: breaker?.state,
    reconnects,
    principals: stats?.principals,
    failed: stats?.calls.failed ?? {},
    pool: [],
  };
}

/** A session that has ended, and how long it lasted. */
export interface EndedSession {
  readonly attributes: Attributes;
  readonly durationMs: number;
}

/**
 * Tells of each session that ends: the time from a handshake until the connection was lost or closed. The
 * function returned stops it.
 */
export function watchSessions(
  source: ObservedClient | ObservedGroup,
  onEnded: (session: EndedSession) => void,
): () => void {
  if (isClient(source)) {
    const follow = follower(() => source.protocolVersion, onEnded);
    const { connectedSince } = source.stats();
    follow(attributesOfClient(source), source.state, connectedSince?.getTime());
    return source.on('state', (state) => follow(attributesOfClient(source), state));
  }
  const followers = new Map<string, Follow>();
  return source.on('state', ({ server, state }) => {
    const status = source.status().find(({ name }) => name === server);
    let follow = followers.get(server);
    if (follow === undefined) {
      follow = follower(() => clientIn(source, server)?.protocolVersion, onEnded);
      followers.set(server, follow);
    }
    if (state.name === 'closed') followers.delete(server);
    follow(
      status === undefined ? { [names.SERVER_NAME]: server } : attributesOfServer(status),
      state,
    );
  });
}

/** The client of a server of a group; a pool in a group is none. */
function clientIn(
  group: ObservedGroup,
  server: string,
): ReturnType<ObservedGroup['server']> | undefined {
  try {
    return group.server(server);
  } catch {
    return undefined;
  }
}

/** A session that is open, or was lost and may be resumed yet. */
interface OpenSession {
  readonly attributes: Attributes;
  readonly since: number;
  lost?: { at: number; code: ErrorCode | undefined };
}

/** Follows the states of one connection. */
type Follow = (attributes: Attributes, state: ConnectionState, since?: number) => void;

function follower(
  version: () => string | undefined,
  onEnded: (session: EndedSession) => void,
): Follow {
  let open: OpenSession | undefined;
  const end = (): void => {
    if (open === undefined) return;
    const { attributes, since, lost: { at, code } = { at: Date.now(), code: undefined } } = open;
    open = undefined;
    onEnded({
      attributes: { ...attributes, ...(code !== undefined && { [names.ERROR_TYPE]: code }) },
      durationMs: Math.max(0, at - since),
    });
  };
  return (attributes, state, since = Date.now()) => {
    if (state.name !== 'ready') {
      const code = 'reason' in state ? state.reason?.code : undefined;
      if (open !== undefined && code !== undefined) open.lost ??= { at: Date.now(), code };
      if (state.name === 'resting' || state.name === 'closed') end();
      return;
    }
    if (open !== undefined && state.resumed) {
      delete open.lost;
      return;
    }
    end();
    const protocolVersion = version();
    open = {
      since,
      attributes: {
        ...attributes,
        ...transportAttributes(state.transport),
        ...(protocolVersion !== undefined && { [names.PROTOCOL_VERSION]: protocolVersion }),
      },
    };
  };
}

/** Whether it is a client or a pool. */
export function isClient(source: ObservedClient | ObservedGroup): source is ObservedClient {
  return 'state' in source;
}

/** Which server a client or a pool is of. */
export function attributesOfClient(source: ObservedClient): Attributes {
  const { name, origin } = peerOf(source);
  return serverAttributes(name, origin);
}

/** Which server of a group it is. */
export function attributesOfServer({ name, target }: ObservedServer): Attributes {
  const url = URL.canParse(target) ? new URL(target) : undefined;
  return serverAttributes(name, url?.protocol.startsWith('http') ? url.origin : undefined);
}

/** A gauge says of no connection how it is made. */
function placeOf(attributes: Attributes): Attributes {
  const place = [names.SERVER_NAME, names.SERVER_ADDRESS, names.SERVER_PORT];
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => place.includes(name)));
}

function isUp(state: ConnectionState['name']): boolean | undefined {
  return state === 'idle' || state === 'closed' ? undefined : state === 'ready';
}
