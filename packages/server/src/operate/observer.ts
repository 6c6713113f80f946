import type { ServerNotifier } from '@modelcontextprotocol/server';
import type { TransportName } from '../calls/call.js';
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
  | 'failed';

/** A session, as an observer is told of it. */
export interface ObservedSession {
  readonly sessionId: string;
  readonly principal: string;
  readonly transport: TransportName;
  readonly protocolVersion: string | undefined;
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
}

/** What its program may do with a mount. */
export interface McpMount {
  /** What it holds at this moment. */
  stats(): KitStats;
  /**
   * Tells clients of every version that something changed: sessions get a notification, streams of
   * `subscriptions/listen` an event of the bus.
   */
  readonly notify: ServerNotifier;
  /** Ends a session; false if there is none of this id. */
  endSession(id: string): Promise<boolean>;
}
