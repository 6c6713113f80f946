import { resultText, TOOLS, type CallArguments } from './calls.ts';

/** A JSON-RPC message of a client. */
export interface ClientMessage {
  jsonrpc: '2.0';
  id?: string | number;
  method?: string;
  params?: Record<string, unknown>;
}

/** What identifies a request. */
export type RequestId = string | number;

/** The protocols that a session can be of; the last one has no handshake. */
export type ProtocolVersion = '2024-11-05' | '2025-11-25' | '2026-07-28';

/** What a session is made of. */
export interface ChaosSessionOptions {
  version: ProtocolVersion;
  /** Takes what the server says, and to which request it belongs; `undefined` for none. */
  send: (message: object, belongsTo: RequestId | undefined) => void;
  /** A tool is run. */
  onRun: (key: number) => void;
  /** The client did what no client may do. */
  onBreach: (what: string) => void;
}

const ABOUT = { name: 'chaos', version: '1.0.0' };
const CAPABILITIES = { tools: { listChanged: true } };
const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';
/** What the stateless protocol's answers say beside what was asked. */
const COMPLETE = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' };

/**
 * One session of an MCP server, or a server without sessions. It insists on the handshake where
 * there is one, and on ids that are used once; what breaks that is answered with an error and
 * reported.
 */
export class ChaosSession {
  readonly #options: ChaosSessionOptions;
  readonly #isStateless: boolean;
  readonly #ids = new Set<RequestId>();
  readonly #running = new Map<RequestId, NodeJS.Timeout>();
  readonly #subscriptions = new Set<RequestId>();
  #state: 'new' | 'initializing' | 'ready' = 'new';

  constructor(options: ChaosSessionOptions) {
    this.#options = options;
    this.#isStateless = options.version === '2026-07-28';
    if (this.#isStateless) this.#state = 'ready';
  }

  /** The session is initialized, or has no handshake. */
  get isReady(): boolean {
    return this.#state === 'ready';
  }

  receive(message: ClientMessage): void {
    const { id, method } = message;
    if (method === undefined) {
      this.#options.onBreach('an answer to a question that was never asked');
    } else if (id !== undefined) {
      this.#takeRequest(id, method, message.params ?? {});
    } else if (method === 'notifications/initialized') {
      if (this.#state !== 'initializing')
        this.#options.onBreach(`initialized while ${this.#state}`);
      this.#state = 'ready';
    } else if (method === 'notifications/cancelled') {
      this.cancel(message.params?.['requestId'] as RequestId);
    }
  }

  /** Nobody waits for the answer any more. */
  cancel(id: RequestId): void {
    clearInterval(this.#running.get(id));
    this.#running.delete(id);
    this.#subscriptions.delete(id);
  }

  /** Says that the list of tools has changed, to whoever listens. */
  announce(): void {
    const announcement = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };
    if (!this.#isStateless) this.#options.send(announcement, undefined);
    for (const id of this.#subscriptions) {
      this.#options.send({ ...announcement, params: { _meta: { [SUBSCRIPTION_ID]: id } } }, id);
    }
  }

  /** Stops everything that runs. */
  close(): void {
    for (const timer of this.#running.values()) clearInterval(timer);
    this.#running.clear();
    this.#subscriptions.clear();
  }

  #takeRequest(id: RequestId, method: string, params: Record<string, unknown>): void {
    if (this.#ids.has(id)) {
      this.#fail(id, `the id ${id} was used before`);
      return;
    }
    // A session with a handshake keeps its id until it is answered, on whatever connection that comes.
    if (method !== 'server/discover') this.#ids.add(id);
    const isInTurn = method === 'initialize' ? this.#state === 'new' : this.#state === 'ready';
    if (!isInTurn && method !== 'ping') {
      this.#fail(id, `${method} while the session is ${this.#state}`);
      return;
    }
    if (this.#isStateless) this.#answerStateless(id, method, params);
    else this.#answerInSession(id, method, params);
  }

  #answerInSession(id: RequestId, method: string, params: Record<string, unknown>): void {
    const { version: protocolVersion } = this.#options;
    switch (method) {
      case 'initialize':
        this.#state = 'initializing';
        this.#succeed(id, { protocolVersion, capabilities: CAPABILITIES, serverInfo: ABOUT });
        break;
      case 'ping':
        this.#succeed(id, {});
        break;
      default:
        this.#answerAny(id, method, params);
    }
  }

  #answerStateless(id: RequestId, method: string, params: Record<string, unknown>): void {
    const { version } = this.#options;
    switch (method) {
      case 'server/discover':
        this.#succeed(id, {
          supportedVersions: [version],
          capabilities: CAPABILITIES,
          _meta: { 'io.modelcontextprotocol/serverInfo': ABOUT },
        });
        break;
      case 'subscriptions/listen':
        this.#subscriptions.add(id);
        this.#notify(id, 'notifications/subscriptions/acknowledged', {
          notifications: params['notifications'],
          _meta: { [SUBSCRIPTION_ID]: id },
        });
        break;
      default:
        this.#answerAny(id, method, params);
    }
  }

  #answerAny(id: RequestId, method: string, params: Record<string, unknown>): void {
    if (method === 'tools/list') this.#succeed(id, { tools: TOOLS });
    else if (method === 'tools/call') this.#call(id, params);
    else this.#fail(id, `no method ${method}`);
  }

  #call(id: RequestId, params: Record<string, unknown>): void {
    const args = params['arguments'] as CallArguments;
    const { delayMs, steps } = args;
    this.#options.onRun(args.key);
    const answer = (): void => {
      this.cancel(id);
      const text = resultText(String(params['name'] as string), args);
      this.#succeed(id, { content: [{ type: 'text', text }] });
    };
    if (delayMs === 0) {
      answer();
      return;
    }
    const { progressToken } = (params['_meta'] ?? {}) as { progressToken?: RequestId };
    let progress = 0;
    const step = (): void => {
      progress += 1;
      if (progress > steps) answer();
      else if (progressToken !== undefined) {
        this.#notify(id, 'notifications/progress', { progressToken, progress, total: steps });
      }
    };
    this.#running.set(id, setInterval(step, delayMs / (steps + 1)));
  }

  #notify(id: RequestId, method: string, params: object): void {
    this.#options.send({ jsonrpc: '2.0', method, params }, id);
  }

  #succeed(id: RequestId, result: object): void {
    const whole = this.#isStateless ? { ...COMPLETE, ...result } : result;
    this.#options.send({ jsonrpc: '2.0', id, result: whole }, id);
  }

  #fail(id: RequestId, message: string): void {
    this.#options.onBreach(message);
    this.#options.send({ jsonrpc: '2.0', id, error: { code: -32600, message } }, id);
  }
}
