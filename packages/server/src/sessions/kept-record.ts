import type { FastifyBaseLogger } from 'fastify';
import { inBackground } from '../operate/log.js';
import type { SessionRecord, SessionStore } from './session-store.js';

type Changes = Partial<Omit<SessionRecord, 'id' | 'principal'>>;

/** How often the time of the last activity is stored, at most. */
const STORE_EVERY_MS = 1_000;

/** The record of a session as its node has it, and in the store. */
export class KeptRecord {
  readonly #record: SessionRecord;
  readonly #store: SessionStore;
  readonly #log: FastifyBaseLogger;
  #storedAt = 0;
  /** What could not be stored: it is stored with the next change. */
  #unstored: Changes | undefined;

  constructor(record: SessionRecord, store: SessionStore, log: FastifyBaseLogger) {
    this.#record = record;
    this.#store = store;
    this.#log = log;
  }

  /** Takes note that the client is there. */
  touch(): void {
    const now = Date.now();
    this.#record.lastActivityAt = now;
    if (now - this.#storedAt < STORE_EVERY_MS) return;
    this.#storedAt = now;
    this.change({ lastActivityAt: now });
  }

  change(given: Changes): void {
    Object.assign(this.#record, given);
    const changes = this.#unstored === undefined ? given : { ...this.#unstored, ...given };
    this.#unstored = undefined;
    inBackground(this.#log, 'the record of a session could not be stored', () => {
      const storing = this.#store.update(this.#record.id, changes);
      if (!(storing instanceof Promise)) return undefined;
      return storing.catch((error: unknown) => {
        this.#unstored = { ...changes, ...this.#unstored };
        throw error;
      });
    });
  }
}
