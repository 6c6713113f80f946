import { LOG_LEVEL_META_KEY, type JSONRPCMessage } from '@modelcontextprotocol/client';
import type { LongwireError } from '../errors.js';
import type { InitializeReplay } from './initialize.js';
import type { Ledger, LedgerEntry } from './ledger.js';
import type { RestorableState } from './restorable-state.js';
import type { ServerStream } from './server-stream.js';
import type { Envelope } from './wire.js';

/** What is needed to answer requests without the server. */
export interface LocalAnswersOptions {
  ledger: Ledger;
  restorable: RestorableState;
  handshake: InitializeReplay;
  serverStream: ServerStream;
  /** Takes an answer as if the server had sent it. */
  take: (answer: JSONRPCMessage) => void;
}

/**
 * Answers requests that need not be sent: one whose answer came before, and those that the modern
 * era does not have. There the log level goes with every request, and subscriptions are a stream.
 */
export class LocalAnswers {
  readonly #options: LocalAnswersOptions;

  constructor(options: LocalAnswersOptions) {
    this.#options = options;
  }

  /** What goes with every request of the modern era; `undefined` in the legacy era. */
  get envelope(): Envelope | undefined {
    const { handshake, restorable } = this.#options;
    const { envelope } = handshake;
    if (envelope === undefined || restorable.logLevel === undefined) return envelope;
    return { ...envelope, [LOG_LEVEL_META_KEY]: restorable.logLevel };
  }

  /** Answers a request, now or soon; false if the server has to answer it. */
  answer(entry: LedgerEntry): boolean {
    const { handshake, serverStream, take } = this.#options;
    const { id, request, context } = entry;
    if (context.prior !== undefined) {
      take({ ...context.prior, id });
      context.prior = undefined;
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
        this.#answerWhenOpen(
          entry,
          serverStream.subscribe(String(params?.['uri']), method === 'resources/subscribe'),
        );
        return true;
      default:
        return false;
    }
  }

  #answerWhenOpen(entry: LedgerEntry, opened: Promise<void>): void {
    const { ledger, take } = this.#options;
    const { id } = entry;
    // The subscription leaves with the stream that is opened for it.
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
