import type { JSONRPCMessage, JSONRPCResponse, RequestId } from '@modelcontextprotocol/client';
import type { LongwireError } from '../errors.js';
import type { HeartbeatOptions } from '../options/connection-options.js';
import type { DialedChannel } from './dialed-channel.js';
import { silentDrain, tooManyDrains } from './failures.js';
import type { Inbound, SessionInboundOptions } from './inbound.js';
import type { Drain, Ledger } from './ledger.js';
import type { Outbound } from './outbound.js';
import type { Port } from './port.js';
import { isAboutSession } from './safety.js';
import type { ServerRequests } from './server-requests.js';
import { Watchdog } from './watchdog.js';

/** How many sessions may drain at a time; each holds sockets. One more ends the oldest. */
const MAX_SESSIONS = 4;

/** A session that is lost cannot be pinged: it has so many times `silenceMs`. */
const SILENCES = 10;

/** What is needed to let sessions drain. */
export interface DrainingSessionsOptions {
  ledger: Ledger;
  /** Those of the session of now. */
  serverRequests: ServerRequests;
  port: Port;
  heartbeat: Required<HeartbeatOptions>;
  /** Makes what takes the messages of one session. */
  inboundWith: (own: SessionInboundOptions) => Inbound;
  outbound: () => Outbound;
  /** Called when a session can answer no more, while requests wait for its answers. */
  onEnd: (reason: LongwireError, drain: Drain) => void;
}

/** One of them. */
interface DrainingSession {
  readonly dialed: DialedChannel;
  readonly drain: Drain;
  readonly inbound: Inbound;
  readonly serverRequests: ServerRequests;
  /** The requests that it was left with. */
  readonly ids: ReadonlySet<RequestId>;
  readonly watchdog: Watchdog;
}

/**
 * Sessions that are lost, while answers can still come on streams that are open: behind a proxy without
 * affinity, another node says that it does not know the session, and the one that has it goes on working.
 *
 * Such a session gets nothing new. Its requests stay with it until they are answered, their streams end,
 * or their own limits pass; then its channel is closed.
 */
export class DrainingSessions {
  readonly #options: DrainingSessionsOptions;
  /** From the oldest to the latest. */
  readonly #sessions = new Map<DialedChannel, DrainingSession>();
  readonly #closing = new Set<Promise<void>>();

  constructor(options: DrainingSessionsOptions) {
    this.#options = options;
  }

  /** Takes a channel over; false if no answer can come on it, and it is to be closed. */
  take(dialed: DialedChannel): boolean {
    const { ledger, heartbeat, outbound, inboundWith } = this.#options;
    const entries = ledger
      .owed()
      .filter((entry) => !isAboutSession(entry.request) && !outbound().waits(entry));
    const ids: ReadonlySet<RequestId> = new Set(
      dialed.drain(new Set(entries.map(({ id }) => id)), (reason) => this.#end(session, reason)),
    );
    if (ids.size === 0) return false;
    let open = ids.size;
    const drain: Drain = {
      release: () => {
        // A cancellation that is sent in this tick goes out before it is closed.
        if (--open === 0) queueMicrotask(() => this.#close(session));
      },
    };
    for (const entry of entries) if (ids.has(entry.id)) ledger.leave(entry, drain);
    const serverRequests = this.#options.serverRequests.detach();
    const silenceMs = heartbeat.silenceMs * SILENCES;
    const session: DrainingSession = {
      dialed,
      drain,
      ids,
      serverRequests,
      inbound: inboundWith({
        serverRequests,
        dialed: () => dialed,
        // It says nothing about the session of now.
        onAnswered: () => {},
        drain,
      }),
      watchdog: new Watchdog({
        silenceMs,
        timeoutMs: heartbeat.timeoutMs,
        lastActivityAt: () => dialed.channel?.lastActivityAt ?? 0,
        isProven: () => true,
        ping: (onSent) => onSent(),
        onSilence: () => this.#end(session, silentDrain(silenceMs)),
        now: () => performance.now(),
      }),
    };
    this.#sessions.set(dialed, session);
    const [oldest] = this.#sessions.values();
    if (oldest !== undefined && this.#sessions.size > MAX_SESSIONS) {
      // The event that made one more drain is applied first.
      queueMicrotask(() => this.#end(oldest, tooManyDrains()));
    }
    return true;
  }

  /** What takes the messages of a channel; `undefined` if it does not drain. */
  inboundOf(dialed: DialedChannel): Inbound | undefined {
    return this.#sessions.get(dialed)?.inbound;
  }

  /** The channel that was given the request of a cancellation, if it drains. */
  ofCancelled(message: JSONRPCMessage): DialedChannel | undefined {
    if (!('method' in message) || message.method !== 'notifications/cancelled') return undefined;
    const id = message.params?.['requestId'] as RequestId;
    return [...this.#sessions.values()].find(({ ids }) => ids.has(id))?.dialed;
  }

  /** Answers a request of a server on the session that made it, if that drains. */
  async answer(answer: JSONRPCResponse): Promise<void> {
    for (const { dialed, serverRequests } of this.#sessions.values()) {
      const theirs = serverRequests.answer(answer as JSONRPCResponse & { id: RequestId });
      if (theirs !== undefined) await dialed.sendMessage(theirs);
    }
  }

  /** Fulfilled when every channel is closed. */
  async close(): Promise<void> {
    for (const session of this.#sessions.values()) this.#close(session);
    await Promise.all(this.#closing);
  }

  /** No answer can come any more. */
  #end(session: DrainingSession, reason: LongwireError): void {
    if (!this.#sessions.has(session.dialed)) return;
    this.#options.onEnd(reason, session.drain);
    this.#close(session);
  }

  #close(session: DrainingSession): void {
    const { dialed, watchdog, serverRequests } = session;
    const { port } = this.#options;
    if (!this.#sessions.delete(dialed)) return;
    watchdog.stop();
    for (const cancellation of serverRequests.abandon()) port.deliver(cancellation);
    const closed = dialed
      .flush()
      .then(() => dialed.close())
      .catch((error: Error) => port.report(error))
      .finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }
}
