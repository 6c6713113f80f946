/** A JSON-RPC message, as loosely as it may come in. */
export interface RpcMessage {
  jsonrpc: '2.0';
  id?: string | number;
  method?: string;
  params?: Record<string, unknown>;
  result?: unknown;
  error?: { code: number; message: string; data?: unknown };
}

/** What a session is made of. */
export interface StrictMcpSessionOptions {
  /** Takes what the server says. */
  send(message: RpcMessage): void;
  /** Put in front of every text that a person may get to see. Default: nothing. */
  textPrefix?: () => string;
  /** Answers instead of the session when it returns something; for what a test needs beyond it. */
  answer?: (request: RpcMessage) => unknown;
  /** What `initialize` is answered with. Default `2024-11-05`. */
  protocolVersion?: string;
  /** Insists on the handshake. Default: true. */
  shakesHands?: boolean;
}

const noArguments = { type: 'object', properties: {} };
const tools = [
  {
    name: 'echo',
    description: 'Returns the message.',
    inputSchema: {
      type: 'object',
      properties: { message: { type: 'string' } },
      required: ['message'],
    },
  },
  {
    name: 'add',
    description: 'Adds two numbers.',
    inputSchema: {
      type: 'object',
      properties: { a: { type: 'number' }, b: { type: 'number' } },
      required: ['a', 'b'],
    },
  },
  { name: 'fail', description: 'Reports an error.', inputSchema: noArguments },
  {
    name: 'slow',
    description: 'Takes its time, and tells its progress ten times.',
    inputSchema: { type: 'object', properties: { ms: { type: 'integer', default: 500 } } },
  },
  { name: 'hang', description: 'Never answers.', inputSchema: noArguments },
];

/** What `answer` gives for a request that is to be answered with a JSON-RPC error. */
export class RpcRefusal {
  readonly number: number;
  readonly message: string;

  constructor(number: number, message: string) {
    this.number = number;
    this.message = message;
  }
}

/**
 * One session of an MCP server that insists on the handshake, unless told otherwise: what comes
 * before `notifications/initialized` is answered with an error. Its tools are `echo`, `add`,
 * `fail`, `slow` and `hang`.
 */
export class StrictMcpSession {
  readonly #options: StrictMcpSessionOptions;
  #state: 'new' | 'initializing' | 'ready';
  readonly #running = new Map<string | number, NodeJS.Timeout>();

  constructor(options: StrictMcpSessionOptions) {
    this.#options = options;
    this.#state = options.shakesHands === false ? 'ready' : 'new';
  }

  /** Takes one message of the client. */
  receive(message: RpcMessage): void {
    if (message.method === undefined) return;
    if (message.id === undefined) this.#takeNotification(message.method, message.params ?? {});
    else this.#takeRequest(message.id, message.method, message);
  }

  /** Stops everything that runs. */
  close(): void {
    for (const timer of this.#running.values()) clearInterval(timer);
    this.#running.clear();
  }

  #takeNotification(method: string, params: Record<string, unknown>): void {
    if (method === 'notifications/initialized' && this.#state === 'initializing') {
      this.#state = 'ready';
    }
    if (method === 'notifications/cancelled') this.#stop(params['requestId'] as string | number);
  }

  #takeRequest(id: string | number, method: string, request: RpcMessage): void {
    const allowed = method === 'ping' || (method === 'initialize') === (this.#state === 'new');
    if (!allowed || (this.#state === 'initializing' && method !== 'ping')) {
      this.#fail(id, -32600, `${method} is not allowed while the session is ${this.#state}`);
      return;
    }
    const answer = this.#options.answer?.(request);
    if (answer instanceof RpcRefusal) {
      this.#fail(id, answer.number, answer.message);
      return;
    }
    if (answer !== undefined) {
      if (method === 'initialize') this.#state = 'initializing';
      this.#succeed(id, answer);
      return;
    }
    switch (method) {
      case 'initialize':
        this.#state = 'initializing';
        this.#succeed(id, {
          protocolVersion: this.#options.protocolVersion ?? '2024-11-05',
          capabilities: { tools: { listChanged: true } },
          serverInfo: { name: this.#text('hostile'), version: '1.0.0' },
        });
        break;
      case 'ping':
        this.#succeed(id, {});
        break;
      case 'tools/list':
        this.#succeed(id, {
          tools: tools.map((tool) => ({ ...tool, description: this.#text(tool.description) })),
        });
        break;
      case 'tools/call':
        this.#call(id, request.params ?? {});
        break;
      default:
        this.#fail(id, -32601, `no method ${method}`);
    }
  }

  #call(id: string | number, params: Record<string, unknown>): void {
    const args = (params['arguments'] ?? {}) as Record<string, unknown>;
    switch (params['name']) {
      case 'echo':
        this.#succeedWith(id, String(args['message'] as string));
        break;
      case 'add':
        this.#succeedWith(id, String(Number(args['a']) + Number(args['b'])));
        break;
      case 'fail':
        this.#succeed(id, { ...this.#content('it failed'), isError: true });
        break;
      case 'slow':
        this.#runSlowly(id, Number(args['ms'] ?? 500), params);
        break;
      case 'hang':
        break;
      default:
        this.#fail(id, -32602, `no tool ${String(params['name'] as string)}`);
    }
  }

  #runSlowly(id: string | number, ms: number, params: Record<string, unknown>): void {
    const { progressToken } = (params['_meta'] ?? {}) as { progressToken?: string | number };
    const steps = 10;
    let progress = 0;
    const timer = setInterval(
      () => {
        progress += 1;
        if (progress > steps) {
          this.#stop(id);
          this.#succeedWith(id, 'done');
        } else if (progressToken !== undefined) {
          const message = this.#text(`step ${progress}`);
          const step = { progressToken, progress, total: steps, message };
          this.#options.send({ jsonrpc: '2.0', method: 'notifications/progress', params: step });
        }
      },
      ms / (steps + 1),
    );
    this.#running.set(id, timer);
  }

  #stop(id: string | number): void {
    clearInterval(this.#running.get(id));
    this.#running.delete(id);
  }

  #succeedWith(id: string | number, text: string): void {
    this.#succeed(id, this.#content(text));
  }

  #content(text: string): { content: { type: 'text'; text: string }[] } {
    return { content: [{ type: 'text', text: this.#text(text) }] };
  }

  #text(text: string): string {
    return `${this.#options.textPrefix?.() ?? ''}${text}`;
  }

  #succeed(id: string | number, result: unknown): void {
    this.#options.send({ jsonrpc: '2.0', id, result });
  }

  #fail(id: string | number, code: number, message: string): void {
    this.#options.send({ jsonrpc: '2.0', id, error: { code, message: this.#text(message) } });
  }
}
