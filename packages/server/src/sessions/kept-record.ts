import type { FastifyBaseLogger } from 'fastify';
import { inBackground } from '../operate/log.js';
import type { SessionRecord, SessionStore } from './session-store.js';

/** How often the time of the last activity is stored, at most. */
const STORE_EVERY_MS = 1_000;

/** The record of a session as its node has it, and in the store. */
export class KeptRecord {
  readonly #record: SessionRecord;
  readonly #store: SessionStore;
  readonly #log: FastifyBaseLogger;
  #storedAt = 0;

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

  change(changes: Partial<Omit<SessionRecord, 'id' | 'principal'>>): void {
    Object.assign(this.#record, changes);
    inBackground(this.#log, 'the record of a session could not be stored', () =>
      this.#store.update(this.#record.id, changes),
    );
  }
}
