import type { JSONRPCMessage, Result } from '@modelcontextprotocol/client';
import type { CallMark } from './call-mark.js';
import type { Handshake } from './handshake.js';
import type { LedgerRequest } from './ledger.js';
import type { Link } from './link.js';
import { changesIn, Listening } from './listening.js';
import type { RetryPolicy } from './retry.js';
import type { SessionCheck } from './session-check.js';
import type { Standing } from './standing.js';

/** What a restoration is made with. */
export interface RestorationOptions {
  standing: Standing;
  handshake: Handshake;
  retry: RetryPolicy;
  /** Makes a request of the connection's own. */
  ask: (request: LedgerRequest, mark: CallMark) => Promise<Result>;
  /** Gives up a request of the connection's own. */
  giveUp: (mark: CallMark) => void;
  /** Whether a link is still the one that requests go out on. */
  isCurrent: (link: Link) => boolean;
  /** Asks a session whether it is gone. */
  check: SessionCheck;
  /** Takes what is for the program. */
  deliver: (message: JSONRPCMessage) => void;
  /** Takes what is for nobody, and wrong. */
  report: (error: Error) => void;
}

/**
 * Brings a session to where the one before it stood: what the program asked for is asked for
 * again, the server is listened to, and what it may have said unheard is found out.
 */
export class Restoration {
  /** The stream on which the server speaks unasked. */
  readonly listening: Listening;
  readonly #options: RestorationOptions;
  #link: Link | undefined;

  constructor(options: RestorationOptions) {
    const { retry, standing, ask, giveUp, report } = options;
    this.#options = options;
    this.listening = new Listening({
      retry,
      subscribed: () => standing.subscribed,
      ask,
      giveUp,
      onGap: () => this.#catchUp(),
      onRefused: () => this.#doubt(),
      report,
    });
  }

  /** Begins with a link on which requests go out; `isRestored` says that its session has it all. */
  begin(link: Link, { isRestored }: { isRestored: boolean }): void {
    const { handshake } = this.#options;
    this.#link = link;
    if (link.channel !== undefined) this.listening.start(link.channel, handshake.server);
    // What the modern era has no request for is said with every request, or when listening.
    if (!isRestored) this.#ask(link, handshake.era === 'modern' ? 'refresh' : 'restore');
  }

  /** The stream that there was before is refused, which may be said of the session. */
  #doubt(): void {
    const { check } = this.#options;
    const link = this.#link;
    if (link?.channel?.abandon === undefined) return;
    void check.of(link).then((verdict) => {
      if (verdict.is === 'gone') link.abandon(verdict.reason, 'gone');
    });
  }

  /** The server could not be heard for a while: what it may have said is asked for. */
  #catchUp(): void {
    const { standing, handshake, deliver } = this.#options;
    if (this.#link === undefined || handshake.server === undefined) return;
    this.#ask(this.#link, 'refresh');
    for (const change of changesIn(handshake.server, standing.subscribed)) deliver(change);
  }

  #ask(link: Link, how: 'restore' | 'refresh'): void {
    const { standing, ask, isCurrent, deliver, report } = this.#options;
    standing[how]({
      ask: (request) => ask(request, { certainty: 'not-sent', internal: true }),
      isCurrent: () => isCurrent(link),
      onToolsChanged: () => deliver({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' }),
      onFailure: report,
    });
  }
}
