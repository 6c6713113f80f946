import { resultText, TOOLS, type CallArguments } from './calls.ts';

/** A JSON-RPC message of a client. */
export interface ClientMessage {
  jsonrpc: '2.0';
  id?: string | number;
  method?: string;
  params?: Record<string, unknown>;
}

/** What a session is made of. */
export interface ChaosSessionOptions {
  /** Takes what the server says. */
  send: (message: object) => void;
  /** A tool is run. */
  onRun: (key: number) => void;
  /** The client did what no client may do. */
  onBreach: (what: string) => void;
}

/**
 * One session of an MCP server of protocol 2024-11-05. It insists on the handshake and on ids that
 * are used once; what breaks that is answered with an error and reported.
 */
export class ChaosSession {
  readonly #options: ChaosSessionOptions;
  readonly #ids = new Set<string | number>();
  readonly #running = new Map<string | number, NodeJS.Timeout>();
  #state: 'new' | 'initializing' | 'ready' = 'new';

  constructor(options: ChaosSessionOptions) {
    this.#options = options;
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
      this.#stop(message.params?.['requestId'] as string | number);
    }
  }

  /** Stops everything that runs. */
  close(): void {
    for (const timer of this.#running.values()) clearInterval(timer);
    this.#running.clear();
  }

  #takeRequest(id: string | number, method: string, params: Record<string, unknown>): void {
    if (this.#ids.has(id)) {
      this.#fail(id, `the id ${id} was used before`);
      return;
    }
    this.#ids.add(id);
    const isInTurn = method === 'initialize' ? this.#state === 'new' : this.#state === 'ready';
    if (!isInTurn && method !== 'ping') {
      this.#fail(id, `${method} while the session is ${this.#state}`);
      return;
    }
    switch (method) {
      case 'initialize':
        this.#state = 'initializing';
        this.#succeed(id, {
          protocolVersion: '2024-11-05',
          capabilities: { tools: {} },
          serverInfo: { name: 'chaos', version: '1.0.0' },
        });
        break;
      case 'ping':
        this.#succeed(id, {});
        break;
      case 'tools/list':
        this.#succeed(id, { tools: TOOLS });
        break;
      case 'tools/call':
        this.#call(id, params);
        break;
      default:
        this.#fail(id, `no method ${method}`);
    }
  }

  #call(id: string | number, params: Record<string, unknown>): void {
    const args = params['arguments'] as CallArguments;
    const { delayMs, steps } = args;
    this.#options.onRun(args.key);
    const answer = (): void => {
      this.#stop(id);
      const text = resultText(String(params['name'] as string), args);
      this.#succeed(id, { content: [{ type: 'text', text }] });
    };
    if (delayMs === 0) {
      answer();
      return;
    }
    const { progressToken } = (params['_meta'] ?? {}) as { progressToken?: string | number };
    let progress = 0;
    const step = (): void => {
      progress += 1;
      if (progress > steps) {
        answer();
      } else if (progressToken !== undefined) {
        const told = { progressToken, progress, total: steps };
        this.#options.send({ jsonrpc: '2.0', method: 'notifications/progress', params: told });
      }
    };
    this.#running.set(id, setInterval(step, delayMs / (steps + 1)));
  }

  #stop(id: string | number): void {
    clearInterval(this.#running.get(id));
    this.#running.delete(id);
  }

  #succeed(id: string | number, result: object): void {
    this.#options.send({ jsonrpc: '2.0', id, result });
  }

  #fail(id: string | number, message: string): void {
    this.#options.onBreach(message);
    this.#options.send({ jsonrpc: '2.0', id, error: { code: -32600, message } });
  }
}
