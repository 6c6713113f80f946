import type { HeartbeatOptions } from '../options/connection-options.js';
import type { DialedChannel } from './dialed-channel.js';
import type { InitializeReplay } from './initialize.js';
import type { Ledger } from './ledger.js';
import type { Port } from './port.js';
import type { RequestContext } from './request-context.js';
import { Watchdog } from './watchdog.js';

/** What a heartbeat is made with. */
export interface HeartbeatWatchOptions {
  limits: Required<HeartbeatOptions>;
  ledger: Ledger;
  handshake: InitializeReplay;
  port: Port;
  /** Whether the server has answered a request on this channel. */
  isProven: () => boolean;
  /** Called when a channel is dead. */
  onSilence: (dialed: DialedChannel) => void;
}

/** Watches one channel at a time, and pings the server when nothing arrives. */
export class Heartbeat {
  readonly #options: HeartbeatWatchOptions;
  #watchdog: Watchdog | undefined;
  #ping: RequestContext | undefined;

  constructor(options: HeartbeatWatchOptions) {
    this.#options = options;
  }

  /** Watches this channel from now on. */
  watch(dialed: DialedChannel): void {
    const { limits, isProven, onSilence } = this.#options;
    this.stop();
    this.#watchdog = new Watchdog({
      ...limits,
      lastActivityAt: () => dialed.channel?.lastActivityAt ?? 0,
      isProven,
      ping: (onSent) => this.#sendPing(onSent),
      onSilence: () => onSilence(dialed),
      now: () => performance.now(),
    });
  }

  /** Stops watching. */
  stop(): void {
    this.#watchdog?.stop();
    this.#watchdog = undefined;
  }

  /** The ping before it needs no answer any more: something else arrived. */
  #sendPing(onSent: () => void): void {
    const { ledger, handshake, port } = this.#options;
    ledger.remove(this.#ping?.id);
    this.#ping = { certainty: 'not-sent', internal: true, isProbe: true, onSent };
    // Whatever arrives proves that the server is there. The loss of the session is handled elsewhere.
    port.ask(handshake.ping, this.#ping).catch(onSent);
  }
}
