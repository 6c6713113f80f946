import type { CallToolResult, JSONRPCMessage } from '@modelcontextprotocol/server';
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import type { BufferBudget } from './buffer-budget.js';
import { EventStream, FLUSH_GRACE_MS, type StreamEnd } from './event-stream.js';
import type { ResolvedSseOptions, ServableServer } from './options.js';
import { RequestsInFlight, type Excess } from './requests-in-flight.js';
import { SessionTransport } from './session-transport.js';
import { ToolCaller, isToolsChanged } from './tool-caller.js';
import { describeTools } from './tool-events.js';

/** Why a session ended. */
export type SessionEnd = StreamEnd | 'idle' | 'server-closed' | 'shutting-down' | 'failed';

/** Options of a session. */
export interface SessionOptions {
  /** Unguessable. */
  id: string;
  server: ServableServer;
  /** What the `endpoint` event says: a path with the session's id in its query. */
  endpoint: string;
  request: FastifyRequest;
  reply: FastifyReply;
  options: ResolvedSseOptions;
  /** Shared by every stream of the mount. */
  budget: BufferBudget;
  /** Called once, when the session has ended. */
  onEnd: () => void;
}

/** One client, its event stream and its server, which begin and end together. */
export class Session {
  /** The open requests of its client: messages, and calls of the tool-events transport. */
  readonly inFlight: RequestsInFlight;
  readonly #session: SessionOptions;
  readonly #log: FastifyBaseLogger;
  readonly #transport: SessionTransport;
  readonly #tools: ToolCaller | undefined;
  #stream: EventStream | undefined;
  #idle: NodeJS.Timeout | undefined;
  #announcing: 'no' | 'running' | 'again' = 'no';
  #ended: Promise<void> | undefined;

  constructor(session: SessionOptions) {
    this.#session = session;
    this.#log = session.request.log;
    this.inFlight = new RequestsInFlight(session.options.maxInFlight);
    this.#transport = new SessionTransport(session.id, {
      open: () => this.#open(),
      send: (message) => this.#send(message),
      closed: () => void this.end('server-closed'),
    });
    if (session.options.toolEvents) {
      this.#tools = new ToolCaller((message) => this.#transport.receive(message));
    }
  }

  /**
   * Connects the server, which opens the stream with the `endpoint` event first.
   *
   * @throws what the server's `connect` throws, after closing everything.
   */
  async start(): Promise<void> {
    const { reply, server } = this.#session;
    // Until the server opens the stream, nothing else notices that the client has left.
    const gone = (): void => void this.end('reader-gone');
    reply.raw.once('close', gone);
    try {
      await server.connect(this.#transport);
    } catch (error) {
      await this.end('failed');
      throw error;
    } finally {
      reply.raw.off('close', gone);
    }
    void this.#announceTools();
  }

  /** Passes a message of the client to the server, or returns what is wrong with it. */
  receive(message: JSONRPCMessage): Excess | undefined {
    const excess = this.inFlight.noteIncoming(message);
    if (excess !== undefined) return excess;
    this.#idle?.refresh();
    this.#tools?.noteIncoming(message);
    this.#transport.receive(message);
    return undefined;
  }

  /**
   * Calls a tool of the server, for the tool-events transport, after `inFlight.begin()`; fails as
   * `ToolCaller.callTool` does.
   */
  async callTool(
    name: string,
    args: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<CallToolResult> {
    try {
      if (!this.#tools) throw new Error('the tool-events transport is not served here');
      this.#idle?.refresh();
      return await this.#tools.callTool(name, args, signal);
    } finally {
      this.inFlight.end();
      this.#idle?.refresh();
    }
  }

  /** Ends stream, handlers and server; fulfilled when all are closed. May be called again. */
  end(reason: SessionEnd): Promise<void> {
    // Deferred until `#ended` is set: closing the server closes the transport, which calls this again.
    return (this.#ended ??= Promise.resolve().then(() => this.#shutDown(reason)));
  }

  async #shutDown(reason: SessionEnd): Promise<void> {
    clearTimeout(this.#idle);
    this.#idle = undefined;
    this.#session.onEnd();
    const level = reason === 'reader-too-slow' ? 'warn' : 'debug';
    this.#log[level]({ reason }, 'session ended');
    this.#tools?.close();
    this.#stream?.end(reason === 'shutting-down' ? 0 : FLUSH_GRACE_MS);
    try {
      if (!this.#transport.isClosed) await this.#session.server.close();
    } catch (error) {
      this.#log.error(error, 'the server of a session failed to close');
    }
    await this.#transport.close();
    await this.#stream?.closed;
  }

  #open(): void {
    const { reply, options, budget, endpoint } = this.#session;
    // The session uses the connection until it ends; the connection must not be reused afterwards.
    reply.raw.shouldKeepAlive = false;
    this.#stream = new EventStream(reply, {
      heartbeatMs: options.heartbeatMs,
      maxBufferedBytes: options.maxBufferedBytes,
      budget,
      onClose: (reason) => void this.end(reason),
    });
    // "When a client connects, the server MUST send an endpoint event containing a URI for the
    // client to use for sending messages."
    // https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
    void this.#emit('endpoint', endpoint);
    if (options.sessionIdleMs !== Infinity) {
      this.#idle = setTimeout(() => void this.end('idle'), options.sessionIdleMs).unref();
    }
  }

  async #send(message: JSONRPCMessage): Promise<void> {
    if (this.#tools?.claimOutgoing(message)) return;
    this.inFlight.noteOutgoing(message);
    if (this.#tools && isToolsChanged(message)) void this.#announceTools();
    this.#idle?.refresh();
    await this.#stream?.send('message', JSON.stringify(message));
  }

  /** Sends the `tools` event, and once more if the tools change meanwhile. */
  async #announceTools(): Promise<void> {
    if (!this.#tools || this.#ended) return;
    if (this.#announcing !== 'no') {
      this.#announcing = 'again';
      return;
    }
    do {
      this.#announcing = 'running';
      const tools = await this.#tools.listTools().catch((error: unknown) => {
        this.#log.debug(error, 'the tools of a session could not be listed');
        return [];
      });
      await this.#emit('tools', JSON.stringify(describeTools(tools)));
    } while (this.#isAnnouncedAgain());
    this.#announcing = 'no';
  }

  #isAnnouncedAgain(): boolean {
    return this.#announcing === 'again' && !this.#ended;
  }

  /** Sends an event without waiting; if the stream fails, the session ends. */
  async #emit(event: string, data: string): Promise<void> {
    await this.#stream?.send(event, data).catch(() => {});
  }
}
