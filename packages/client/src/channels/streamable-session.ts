import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import type { Era, Resumption } from './channel.js';
import { EventCursor } from './event-cursor.js';
import type { HeaderRecord } from './headers.js';
import { modernHeaders, modernHeadersKey } from './modern-headers.js';

/** So many requests have their headers kept. */
const MAX_KEPT_HEADERS = 256;

const POST_HEADERS: HeaderRecord = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
};

/** What a session leaves behind: who it was, and where its standing stream stood. */
export class StreamableResumption implements Resumption {
  readonly dialect = 'streamable-http';
  readonly url: URL;
  readonly sessionId: string;
  readonly protocolVersion: string | undefined;
  readonly cursor: EventCursor;

  constructor(url: URL, session: Omit<StreamableResumption, 'dialect' | 'url'>) {
    this.url = url;
    this.sessionId = session.sessionId;
    this.protocolVersion = session.protocolVersion;
    this.cursor = session.cursor;
  }
}

/** What a channel's requests have in common: the session that they name, and its version. */
export class StreamableSession {
  readonly #url: URL;
  readonly #era: Era;
  readonly #kept = new Map<string, HeaderRecord>();
  /** What a request's own were last merged with, and what came of it. */
  readonly #merged = new WeakMap<HeaderRecord, { ours: HeaderRecord; merged: HeaderRecord }>();
  #id: string | undefined;
  #protocolVersion: string | undefined;
  #headers: HeaderRecord = {};
  #postHeaders = POST_HEADERS;
  /** Where the stream stands on which the server speaks unasked. */
  readonly cursor: EventCursor;

  constructor(url: URL, era: Era, before: StreamableResumption | undefined) {
    this.#url = url;
    this.#era = era;
    this.cursor = before?.cursor ?? new EventCursor();
    this.#name(before?.sessionId, before?.protocolVersion);
  }

  /** Whether the server has given it a name, by which it knows it again. */
  get isNamed(): boolean {
    return this.#id !== undefined;
  }

  /** What lets another channel go on with it; `undefined` if the server gave it no name. */
  get resumption(): StreamableResumption | undefined {
    if (this.#id === undefined) return undefined;
    return new StreamableResumption(this.#url, {
      sessionId: this.#id,
      protocolVersion: this.#protocolVersion,
      cursor: this.cursor,
    });
  }

  /** Those of every request of the session. */
  get headers(): HeaderRecord {
    return this.#headers;
  }

  /** Learns the name from the header of the first answer that has one; an empty one is none. */
  learnName(id: unknown): void {
    if (this.#era === 'modern' || this.#id !== undefined) return;
    if (typeof id === 'string' && id !== '') this.#name(id, this.#protocolVersion);
  }

  /** Learns the version from the answer to `initialize`. */
  learnVersion(message: JSONRPCMessage): void {
    if (this.#era === 'modern' || this.#protocolVersion !== undefined) return;
    if (!('result' in message)) return;
    const version = (message.result as Record<string, unknown>)['protocolVersion'];
    if (typeof version === 'string') this.#name(this.#id, version);
  }

  /** The headers of the POST of a message, `more` included. The same object for the same headers. */
  headersOf(message: JSONRPCMessage, more: HeaderRecord | undefined): HeaderRecord {
    if (this.#era === 'legacy') {
      return more === undefined ? this.#postHeaders : this.#below(this.#postHeaders, more);
    }
    const key = modernHeadersKey(message);
    let kept = this.#kept.get(key);
    if (kept === undefined) {
      kept = { ...POST_HEADERS, ...modernHeaders(message) };
      if (this.#kept.size < MAX_KEPT_HEADERS) this.#kept.set(key, kept);
    }
    return more === undefined ? kept : this.#below(kept, more);
  }

  #below(ours: HeaderRecord, more: HeaderRecord): HeaderRecord {
    const before = this.#merged.get(more);
    if (before?.ours === ours) return before.merged;
    const merged = { ...more, ...ours };
    this.#merged.set(more, { ours, merged });
    return merged;
  }

  #name(id: string | undefined, protocolVersion: string | undefined): void {
    this.#id = id;
    this.#protocolVersion = protocolVersion;
    this.#headers = {
      ...(id !== undefined && { 'mcp-session-id': id }),
      ...(protocolVersion !== undefined && { 'mcp-protocol-version': protocolVersion }),
    };
    this.#postHeaders = { ...POST_HEADERS, ...this.#headers };
  }
}
