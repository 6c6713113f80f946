import type { CallMark } from './call-mark.js';
import type { Ledger } from './ledger.js';
import type { Link } from './link.js';
import type { HeartbeatOptions } from './options.js';
import { Watchdog } from './watchdog.js';

/** What a heartbeat is made with. */
export interface HeartbeatSurroundings {
  limits: Required<HeartbeatOptions>;
  ledger: Ledger;
  /** Makes a request of the line's own, of a kind that every server answers. */
  ask: (mark: CallMark) => Promise<unknown>;
  /** Whether the server has answered anything on this line. */
  isProven: () => boolean;
  /** Told that a link is dead. */
  onSilence: (link: Link) => void;
}

/** Watches over one link at a time, and asks the server when nothing comes. */
export class Heartbeat {
  readonly #surroundings: HeartbeatSurroundings;
  #watchdog: Watchdog | undefined;
  #asked: CallMark | undefined;

  constructor(surroundings: HeartbeatSurroundings) {
    this.#surroundings = surroundings;
  }

  /** Watches a link from now on. */
  watch(link: Link): void {
    const { limits, isProven, onSilence } = this.#surroundings;
    this.stop();
    this.#watchdog = new Watchdog({
      ...limits,
      heardAt: () => link.channel?.heardAt ?? 0,
      isProven,
      ping: (onAsked) => this.#ask(onAsked),
      onSilence: () => onSilence(link),
      now: () => performance.now(),
    });
  }

  /** Watches no more. */
  stop(): void {
    this.#watchdog?.stop();
    this.#watchdog = undefined;
  }

  /** The question before it need not be answered any more: something else came. */
  #ask(onAsked: () => void): void {
    const { ledger, ask } = this.#surroundings;
    ledger.remove(this.#asked?.id);
    this.#asked = { certainty: 'not-sent', internal: true, isProbe: true, onSent: onAsked };
    // Whatever arrives is an answer, and the loss of the session is told otherwise.
    ask(this.#asked).catch(onAsked);
  }
}
