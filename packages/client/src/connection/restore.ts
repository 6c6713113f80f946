import type { DialedChannel } from './dialed-channel.js';
import type { InitializeReplay } from './initialize.js';
import type { Port } from './port.js';
import type { RestorableState } from './restorable-state.js';
import type { RetryPolicy } from './retry.js';
import { changesIn, ServerStream } from './server-stream.js';
import type { SessionCheck } from './session-check.js';

/** What is needed to restore a session. */
export interface SessionRestoreOptions {
  restorable: RestorableState;
  handshake: InitializeReplay;
  retry: RetryPolicy;
  check: SessionCheck;
  port: Port;
  /** The channel that requests go out on now; `undefined` while there is none. */
  dialed: () => DialedChannel | undefined;
}

/**
 * Brings a new session to the state of the one before: asks again for what the program asked for,
 * opens the server stream, and finds out what changed meanwhile.
 */
export class SessionRestore {
  /** The stream on which the server sends what no request asked for. */
  readonly serverStream: ServerStream;
  readonly #options: SessionRestoreOptions;
  #dialed: DialedChannel | undefined;

  constructor(options: SessionRestoreOptions) {
    const { retry, restorable, port } = options;
    this.#options = options;
    this.serverStream = new ServerStream({
      retry,
      port,
      subscribed: () => restorable.subscribed,
      onGap: () => this.#afterGap(),
      onRefused: () => this.#checkSession(),
    });
  }

  /** Starts on a channel that is ready. `isRestored` says that its session needs nothing again. */
  begin(dialed: DialedChannel, { isRestored }: { isRestored: boolean }): void {
    const { handshake } = this.#options;
    this.#dialed = dialed;
    if (dialed.channel !== undefined) this.serverStream.start(dialed.channel, handshake.server);
    // In the modern era the log level and the subscriptions are no requests of their own.
    if (!isRestored) this.#ask(dialed, handshake.era === 'modern' ? 'refresh' : 'restore');
  }

  /** The server refuses a stream that it opened before: its session may be gone. */
  #checkSession(): void {
    const { check } = this.#options;
    const dialed = this.#dialed;
    if (dialed?.channel?.abandon === undefined) return;
    void check.of(dialed).then((session) => {
      if (session.is === 'gone') dialed.abandon(session.reason, 'gone');
    });
  }

  /** Notifications may have been missed: finds out what changed, or assumes that it did. */
  #afterGap(): void {
    const { restorable, handshake, port } = this.#options;
    if (this.#dialed === undefined || handshake.server === undefined) return;
    this.#ask(this.#dialed, 'refresh');
    for (const change of changesIn(handshake.server, restorable.subscribed)) port.deliver(change);
  }

  #ask(asked: DialedChannel, how: 'restore' | 'refresh'): void {
    const { restorable, dialed, port } = this.#options;
    restorable[how]({
      ask: (request) => port.ask(request, { certainty: 'not-sent', internal: true }),
      isCurrent: () => dialed() === asked,
      onToolsChanged: () =>
        port.deliver({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' }),
      onFailure: (error) => port.report(error),
    });
  }
}
