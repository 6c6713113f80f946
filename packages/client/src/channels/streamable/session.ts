import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import { EventCursor } from '../../http/event-cursor.js';
import type { HttpClient } from '../../http/client.js';
import type { HeaderRecord } from '../../http/headers.js';
import type { Era } from '../../protocol-version.js';
import type { TransportName } from '../../transport-name.js';
import { withTimeout } from '../../with-timeout.js';
import { ModernHeaders } from './modern-headers.js';
import { StreamableResumption } from './resumption.js';

const POST_HEADERS: HeaderRecord = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
};

/** How long the DELETE of a session may take. */
const DELETE_MS = 1000;

/** What the requests of one channel have in common: the session id and the protocol version. */
export class StreamableSession {
  readonly #url: URL;
  readonly #era: Era;
  readonly #modernHeaders = new ModernHeaders(POST_HEADERS);
  #id: string | undefined;
  #protocolVersion: string | undefined;
  #headers: HeaderRecord = {};
  #postHeaders = POST_HEADERS;
  /** The position in the stream on which the server speaks unasked. */
  readonly cursor: EventCursor;

  constructor(url: URL, era: Era, before: StreamableResumption | undefined) {
    this.#url = url;
    this.#era = era;
    this.cursor = before?.cursor ?? new EventCursor();
    this.#set(before?.sessionId, before?.protocolVersion);
  }

  /** Whether the server has given it an id. */
  get hasId(): boolean {
    return this.#id !== undefined;
  }

  /** What another channel needs to resume it; `undefined` if it has no id. */
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

  /** Takes the id from the header of the first response that has one; an empty one is none. */
  takeId(id: unknown, http: HttpClient): void {
    if (this.#era === 'modern' || this.#id !== undefined) return;
    if (typeof id !== 'string' || id === '') return;
    // The body of this very response may repeat it.
    http.learnSession(id);
    this.#set(id, this.#protocolVersion);
  }

  /** Takes the version from the answer to `initialize`. */
  takeVersion(message: JSONRPCMessage): void {
    if (this.#era === 'modern' || this.#protocolVersion !== undefined) return;
    if (!('result' in message)) return;
    const version = (message.result as Record<string, unknown>)['protocolVersion'];
    if (typeof version === 'string') this.#set(this.#id, version);
  }

  /** The headers of the POST of a message. The same object for the same headers. */
  headersOf(message: JSONRPCMessage): HeaderRecord {
    return this.#era === 'legacy' ? this.#postHeaders : this.#modernHeaders.of(message);
  }

  /** Tells the server that the session is over. It may forbid that, or be away: then its session expires. */
  async delete(http: HttpClient, transport: TransportName | undefined): Promise<void> {
    const { headers } = this;
    const deletion = http.request({ method: 'DELETE', url: this.#url, transport, headers });
    await withTimeout(
      DELETE_MS,
      deletion.answer.catch(() => {}),
    );
    deletion.abort();
  }

  #set(id: string | undefined, protocolVersion: string | undefined): void {
    this.#id = id;
    this.#protocolVersion = protocolVersion;
    this.#headers = {
      ...(id !== undefined && { 'mcp-session-id': id }),
      ...(protocolVersion !== undefined && { 'mcp-protocol-version': protocolVersion }),
    };
    this.#postHeaders = { ...POST_HEADERS, ...this.#headers };
  }
}
