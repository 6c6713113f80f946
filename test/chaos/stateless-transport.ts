import type { IncomingMessage, ServerResponse } from 'node:http';
import { ChaosSession, type ClientMessage, type RequestId } from './chaos-session.ts';
import {
  readMessage,
  refuse,
  type ServerTransportOptions,
  type ServerTransport,
} from './server-transport.ts';
import { DocumentReply, StreamReply, type PostReply } from './post-reply.ts';

const VERSION = '2026-07-28';
const META = 'io.modelcontextprotocol/';
const HEADER_MISMATCH = -32020;
const UNSUPPORTED_VERSION = -32022;

/**
 * Streamable HTTP of protocol 2026-07-28: no sessions; each request says who asks, and in headers
 * what it asks. A client that closes its connection has cancelled.
 */
export class StatelessTransport implements ServerTransport {
  readonly path = '/mcp';
  readonly openedSessions = 0;
  readonly liveSessions = 0;
  readonly resumptions = 0;
  readonly #options: ServerTransportOptions;
  readonly #mcp: ChaosSession;
  readonly #replies = new Map<RequestId, PostReply>();

  constructor(options: ServerTransportOptions) {
    this.#options = options;
    this.#mcp = new ChaosSession({
      version: VERSION,
      send: (message, belongsTo) => {
        const id = belongsTo as RequestId;
        this.#replies.get(id)?.send(message);
        if ('id' in message) this.#replies.delete(id);
      },
      onRun: options.onRun,
      onBreach: options.onBreach,
    });
  }

  get openStreams(): number {
    return [...this.#replies.values()].filter(({ isOpen }) => isOpen).length;
  }

  async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') {
      refuse(response, 405, 'POST alone');
      return;
    }
    const message = await readMessage(request);
    const id = message?.id;
    if (message?.method === undefined || id === undefined) {
      this.#breach(response, id, `a POST that is no request: ${message?.method}`);
    } else if (message.method === 'initialize') {
      const data = { supported: [VERSION], requested: message.params?.['protocolVersion'] };
      this.#refuse(response, id, { code: UNSUPPORTED_VERSION, message: 'which version?', data });
    } else {
      const wrong = whatIsWrong(request, message);
      if (wrong === undefined) this.#answer(id, message, response);
      else this.#breach(response, id, `${message.method}: ${wrong}`);
    }
  }

  announce(): void {
    this.#mcp.announce();
  }

  dropSessions(): void {
    this.#mcp.close();
    for (const reply of this.#replies.values()) reply.close();
    this.#replies.clear();
  }

  #answer(id: RequestId, message: ClientMessage, response: ServerResponse): void {
    const isSubscription = message.method === 'subscriptions/listen';
    const isDocument = !isSubscription && this.#options.random.chance(this.#options.documentShare);
    const stream = new StreamReply();
    const reply = isDocument ? new DocumentReply(response) : stream;
    this.#replies.set(id, reply);
    if (!isDocument) stream.begin(response);
    response.once('close', () => {
      if (this.#replies.get(id) !== reply) return;
      this.#replies.delete(id);
      this.#mcp.cancel(id);
    });
    this.#mcp.receive(message);
  }

  #breach(response: ServerResponse, id: RequestId | undefined, what: string): void {
    this.#options.onBreach(what);
    this.#refuse(response, id, { code: HEADER_MISMATCH, message: what });
  }

  #refuse(response: ServerResponse, id: RequestId | undefined, error: object): void {
    response
      .writeHead(400, { 'content-type': 'application/json' })
      .end(JSON.stringify({ jsonrpc: '2.0', id: id ?? null, error }));
  }
}

/** "The server MUST reject requests" whose headers do not say what their body says. */
function whatIsWrong(
  { headers }: IncomingMessage,
  { method, params }: ClientMessage,
): string | undefined {
  const meta = (params?.['_meta'] ?? {}) as Record<string, unknown>;
  const accepted = headers.accept ?? '';
  if (!accepted.includes('text/event-stream') || !accepted.includes('application/json')) {
    return `accepts only ${accepted}`;
  }
  if (headers['mcp-session-id'] !== undefined) return 'a session id';
  if (headers['mcp-protocol-version'] !== VERSION) return 'another version in the header';
  if (meta[`${META}protocolVersion`] !== VERSION) return 'another version in the body';
  if (meta[`${META}clientCapabilities`] === undefined) return 'no capabilities';
  if (headers['mcp-method'] !== method)
    return `the method ${String(headers['mcp-method'])} in the header`;
  const name = method === 'tools/call' ? params?.['name'] : undefined;
  if (headers['mcp-name'] !== name) return `the name ${String(headers['mcp-name'])} in the header`;
  return undefined;
}
