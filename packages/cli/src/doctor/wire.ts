import { setTimeout as delay } from 'node:timers/promises';
import type { WireEvent, WireExchange, WireProcess } from '@longwire/client';

/** The most lines of a program's output that are kept. */
const maxLines = 1000;

/** What has passed between the client and its server, as far as it tells of layers below. */
export class Wire {
  readonly #streams = new Map<number, WireExchange>();
  readonly lines: { stdout: string[]; stderr: string[] } = { stdout: [], stderr: [] };
  #isAnswered = false;
  #exit: WireProcess | undefined;
  readonly #onExit: (() => void)[] = [];

  /** Takes what passes. */
  take(event: WireEvent): void {
    if (event.type === 'exchange') {
      this.#isAnswered ||= event.status !== undefined;
      if (isStream(event)) this.#streams.set(event.exchange, event);
    } else if (event.type === 'output') {
      const lines = this.lines[event.from];
      if (lines.length < maxLines) lines.push(event.line);
    } else if (event.type === 'process' && event.phase === 'exited') {
      this.#exit = event;
      for (const told of this.#onExit.splice(0)) told();
    }
  }

  /** The latest request for a stream on which the server speaks unasked. */
  get stream(): WireExchange | undefined {
    return [...this.#streams.values()].at(-1);
  }

  /** Whether a stream was asked for and has not begun, while other requests were answered. */
  get isStreamHeldBack(): boolean {
    return (
      this.#isAnswered && [...this.#streams.values()].some(({ status }) => status === undefined)
    );
  }

  /** How the process ended, waiting so long for it. */
  async exited(ms: number): Promise<WireProcess | undefined> {
    if (this.#exit === undefined) {
      const over = new AbortController();
      const told = new Promise<void>((resolve) => this.#onExit.push(resolve));
      await Promise.race([told, delay(ms, undefined, { signal: over.signal }).catch(() => {})]);
      over.abort();
    }
    return this.#exit;
  }
}

function isStream({ method, message }: WireExchange): boolean {
  if (method === 'GET') return true;
  return message !== undefined && 'method' in message && message.method === 'subscriptions/listen';
}
