import { LOG_LEVEL_META_KEY, type JSONRPCMessage } from '@modelcontextprotocol/client';
import type { LongwireError } from '../errors.js';
import type { Handshake } from './handshake.js';
import type { Ledger, LedgerEntry } from './ledger.js';
import type { Listening } from './listening.js';
import type { Standing } from './standing.js';
import type { Envelope } from './wire.js';

/** Who knows what the server would be asked. */
export interface LocalAnswersOptions {
  ledger: Ledger;
  standing: Standing;
  handshake: Handshake;
  listening: Listening;
  /** Takes an answer as if the server had given it. */
  take: (answer: JSONRPCMessage) => void;
}

/**
 * Requests that need not be sent: one whose answer is there already, and those that the modern
 * era has no request for, because what they ask is said with every request or when listening.
 */
export class LocalAnswers {
  readonly #options: LocalAnswersOptions;

  constructor(options: LocalAnswersOptions) {
    this.#options = options;
  }

  /** What every request says beside what it asks; `undefined` in the legacy era. */
  get envelope(): Envelope | undefined {
    const { handshake, standing } = this.#options;
    const { envelope } = handshake;
    if (envelope === undefined || standing.logLevel === undefined) return envelope;
    return { ...envelope, [LOG_LEVEL_META_KEY]: standing.logLevel };
  }

  /** Answers a request, now or soon; false if it is the server's to answer. */
  answer(entry: LedgerEntry): boolean {
    const { handshake, listening, take } = this.#options;
    const { id, request, mark } = entry;
    if (mark.prior !== undefined) {
      take({ ...mark.prior, id });
      mark.prior = undefined;
      return true;
    }
    if (handshake.era !== 'modern') return false;
    const { method, params } = request;
    switch (method) {
      case 'logging/setLevel':
        take({ jsonrpc: '2.0', id, result: {} });
        return true;
      case 'resources/subscribe':
      case 'resources/unsubscribe':
        this.#listen(
          entry,
          listening.subscribe(String(params?.['uri']), method === 'resources/subscribe'),
        );
        return true;
      default:
        return false;
    }
  }

  #listen(entry: LedgerEntry, opened: Promise<void>): void {
    const { ledger, take } = this.#options;
    const { id } = entry;
    // What it asks for leaves in the words of the era.
    ledger.markSent(entry);
    const isOpen = (): boolean => ledger.find(id) === entry;
    opened.then(
      () => {
        if (isOpen()) take({ jsonrpc: '2.0', id, result: {} });
      },
      (error: LongwireError) => {
        if (!isOpen()) return;
        ledger.remove(id);
        entry.waiter.failed(error);
      },
    );
  }
}
