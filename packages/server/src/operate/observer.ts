import type { ServerNotifier } from '@modelcontextprotocol/server';
import type { FastifyBaseLogger } from 'fastify';
import type { Call, TransportName } from '../calls/call.js';
import type { ClusterStats } from '../cluster/joined-cluster.js';
import type { Refusal } from '../refusal.js';

/** Why a session ended. */
export type SessionEnd =
  | 'deleted'
  | 'idle'
  | 'abandoned'
  | 'lifetime'
  | 'ended-by-operator'
  | 'server-closed'
  | 'shutting-down'
  | 'failed'
  /** It goes on on another node of the cluster. */
  | 'moved';

/** A session, as an observer is told of it. */
export interface ObservedSession {
  readonly sessionId: string;
  readonly principal: string;
  readonly transport: TransportName;
  readonly protocolVersion: string | undefined;
}

/** What a server says without being asked, as an observer is told of it. */
export interface ObservedNotification {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
}

/** Told what happens to sessions and requests. What it throws is logged. */
export interface KitObserver {
  sessionOpened?(session: ObservedSession): void;
  sessionEnded?(session: ObservedSession, end: { reason: SessionEnd; durationMs: number }): void;
  /**
   * Told of an HTTP request that was refused before it was a call: by the guard, by authentication, for
   * its body, for its session. Gates are told of calls.
   */
  requestRefused?(refusal: Refusal): void;
  /**
   * Told of each notification of a server that has somebody to go to, and of the call that it belongs to.
   * What the program says by `notify` is told once, however many clients get it.
   */
  notificationSent?(notification: ObservedNotification, call: Call | undefined): void;
}

/** Tells observers of what a server says; what is no notification is left out. */
export type TellNotification = (
  message: ObservedNotification & { readonly id?: unknown },
  call?: Call,
) => void;

/** What tells the observers that want to know of notifications; `undefined` where none of them does. */
export function notificationTeller(
  observers: readonly KitObserver[],
  log: FastifyBaseLogger | undefined,
): TellNotification | undefined {
  const told = observers.flatMap((one) => one.notificationSent?.bind(one) ?? []);
  if (told.length === 0) return undefined;
  return (message, call) => {
    if (message.id !== undefined) return;
    for (const tell of told) {
      try {
        tell(message, call);
      } catch (error) {
        log?.error(error, 'an observer of notifications failed');
      }
    }
  };
}

/** What a mount holds at this moment. */
export interface KitStats {
  readonly sessions: number;
  /** Sessions without a server instance, which the next message rebuilds. */
  readonly hibernating: number;
  readonly streams: number;
  readonly callsInFlight: number;
  /** Bytes that wait for the readers of streams. */
  readonly bufferedBytes: number;
  /** Bytes that are kept so that streams can be resumed. */
  readonly eventLogBytes: number;
  /** Missing without a cluster. */
  readonly cluster?: ClusterStats | undefined;
}

/** What its program may do with a mount. */
export interface McpMount {
  /** What it holds at this moment. */
  stats(): KitStats;
  /**
   * Tells clients of every version that something changed: sessions get a notification, streams of
   * `subscriptions/listen` an event of the bus. In a cluster those of all nodes are told.
   */
  readonly notify: ServerNotifier;
  /** Ends a session; false if there is none of this id. */
  endSession(id: string): Promise<boolean>;
}
