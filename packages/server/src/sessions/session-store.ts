import type { JSONRPCRequest } from '@modelcontextprotocol/server';
import type { IncomingHttpHeaders } from 'node:http';
import type { MaybePromise } from '../principal.js';

/** A session as data, apart from the live objects of the node that serves it. JSON can hold it. */
export interface SessionRecord {
  /** Unguessable, and a secret: whoever knows it, and is the principal, can use the session. */
  readonly id: string;
  /** `Principal.id` of who opened it. */
  readonly principal: string;
  readonly transport: 'sse' | 'streamable-http';
  /** SHA-256 of the client's resume key, in base64url. */
  readonly resume?: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  lastActivityAt: number;
  /** The client's `initialize`, as it came: what a new server instance is told. */
  initialize?: JSONRPCRequest;
  /** Whether `notifications/initialized` came. */
  isInitialized: boolean;
  /** What stands until it is taken back, and is asked again of a new instance. */
  logLevel?: string;
  subscriptions: string[];
  /** Whether its id says all of it, and each node has a server of its own. */
  readonly isSealed?: true;
  /** In a cluster: the headers of the request that opened it, without its credentials and cookies. */
  readonly headers?: IncomingHttpHeaders;
  /** In a cluster: whence that request came, as far as limits tell clients apart. */
  readonly network?: string;
}

/** Where sessions are kept as data: in memory, or where several nodes reach them. */
export interface SessionStore {
  /** Fails where there is one of this id. */
  create(record: SessionRecord): MaybePromise<void>;
  get(id: string): MaybePromise<SessionRecord | undefined>;
  /** The session that a principal opened with this resume key (its digest). */
  findByResume(principal: string, resume: string): MaybePromise<SessionRecord | undefined>;
  /** Changes what is given; nothing where the session has ended. */
  update(id: string, changes: Partial<Omit<SessionRecord, 'id' | 'principal'>>): MaybePromise<void>;
  delete(id: string): MaybePromise<void>;
  /** How many there are, of a principal or in all. */
  count(principal?: string): MaybePromise<number>;
}

/** The sessions of one node. */
export class MemorySessionStore implements SessionStore {
  readonly #records = new Map<string, SessionRecord>();
  readonly #byResume = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  create(record: SessionRecord): void {
    if (this.#records.has(record.id)) throw new Error('there is a session of this id');
    this.#records.set(record.id, record);
    if (record.resume !== undefined) this.#byResume.set(resumeKeyOf(record), record.id);
    this.#counts.set(record.principal, this.count(record.principal) + 1);
  }

  get(id: string): SessionRecord | undefined {
    return this.#records.get(id);
  }

  findByResume(principal: string, resume: string): SessionRecord | undefined {
    const id = this.#byResume.get(`${resume}:${principal}`);
    return id === undefined ? undefined : this.#records.get(id);
  }

  update(id: string, changes: Partial<SessionRecord>): void {
    const record = this.#records.get(id);
    if (record !== undefined) Object.assign(record, changes);
  }

  delete(id: string): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    this.#records.delete(id);
    // A later session may have taken the key over.
    if (record.resume !== undefined && this.#byResume.get(resumeKeyOf(record)) === id) {
      this.#byResume.delete(resumeKeyOf(record));
    }
    const left = this.count(record.principal) - 1;
    if (left > 0) this.#counts.set(record.principal, left);
    else this.#counts.delete(record.principal);
  }

  count(principal?: string): number {
    return principal === undefined ? this.#records.size : (this.#counts.get(principal) ?? 0);
  }
}

function resumeKeyOf({ resume, principal }: SessionRecord): string {
  return `${resume}:${principal}`;
}
