import type { MountableServer, Progress } from '@longwire/client';

type Transport = Parameters<MountableServer['connect']>[0];
type Message = Parameters<NonNullable<Transport['onmessage']>>[0];
/** The parameters of a request. */
export type Params = Readonly<Record<string, unknown>>;

/** Sends a request to the client, and waits for its answer. */
export type Ask = (method: string, params?: object) => Promise<unknown>;

/** What the answer to a request is made with. */
export interface RequestOptions {
  signal: AbortSignal;
  onProgress: (progress: Progress) => void;
  ask: Ask;
}

/** A request that is answered with a JSON-RPC error. */
export class RequestError extends Error {
  readonly number: number;
  readonly data: object | undefined;

  constructor(number: number, message: string, data?: object) {
    super(message);
    this.number = number;
    this.data = data;
  }

  /** As JSON-RPC has it. */
  toJSON(): object {
    const { number: code, message, data } = this;
    return { code, message, ...(data !== undefined && { data }) };
  }
}

/** Settles the promise of an answer. */
interface Settle {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

const INTERNAL_ERROR = -32_603;

/** One session of a server in this process: JSON-RPC over a transport of the official SDK. */
export class FakeSession implements MountableServer {
  readonly #answer: (method: string, params: Params, options: RequestOptions) => unknown;
  readonly #onClose: (session: FakeSession) => void;
  readonly #running = new Map<unknown, AbortController>();
  /** Requests that the client has not answered. */
  readonly #asking = new Map<unknown, Settle>();
  #asked = 0;
  #transport: Transport | undefined;

  constructor(
    answer: (method: string, params: Params, options: RequestOptions) => unknown,
    onClose: (session: FakeSession) => void,
  ) {
    this.#answer = answer;
    this.#onClose = onClose;
  }

  async connect(transport: Transport): Promise<void> {
    this.#transport = transport;
    transport.onmessage = (message) => this.#take(message);
    await transport.start();
  }

  async close(): Promise<void> {
    this.#onClose(this);
    for (const running of this.#running.values()) running.abort();
    for (const { reject } of this.#asking.values()) reject(new Error('the session has ended'));
    this.#asking.clear();
    await this.#transport?.close();
  }

  /** Sends a notification. */
  async notify(method: string, params: object | undefined): Promise<void> {
    await this.#send({ jsonrpc: '2.0', method, ...(params !== undefined && { params }) });
  }

  /** Sends a request. */
  async ask(method: string, params?: object): Promise<unknown> {
    const id = `fake-${++this.#asked}`;
    let settle: Settle = { resolve: () => {}, reject: () => {} };
    const answered = new Promise<unknown>((resolve, reject) => {
      settle = { resolve, reject };
    });
    this.#asking.set(id, settle);
    await this.#send({ jsonrpc: '2.0', id, method, ...(params !== undefined && { params }) });
    return answered;
  }

  #take(message: Message): void {
    if (!('method' in message)) {
      this.#takeAnswer(message);
      return;
    }
    const params: Params = message.params ?? {};
    if (!('id' in message)) {
      if (message.method === 'notifications/cancelled') {
        this.#running.get(params['requestId'])?.abort();
      }
      return;
    }
    void this.#run(message.id, message.method, params);
  }

  #takeAnswer(answer: Exclude<Message, { method: string }>): void {
    const asking = this.#asking.get(answer.id);
    this.#asking.delete(answer.id);
    if ('error' in answer) asking?.reject(new Error(answer.error.message));
    else asking?.resolve(answer.result);
  }

  async #run(id: string | number, method: string, params: Params): Promise<void> {
    const running = new AbortController();
    this.#running.set(id, running);
    const { progressToken } = (params['_meta'] ?? {}) as { progressToken?: unknown };
    const onProgress = (progress: Progress): void => {
      if (progressToken === undefined || running.signal.aborted) return;
      void this.notify('notifications/progress', { ...progress, progressToken });
    };
    const answered = await answerOf(() =>
      this.#answer(method, params, {
        signal: running.signal,
        onProgress,
        ask: (asked, about) => this.ask(asked, about),
      }),
    );
    this.#running.delete(id);
    if (!running.signal.aborted) await this.#send({ jsonrpc: '2.0', id, ...answered });
  }

  async #send(message: object): Promise<void> {
    await this.#transport?.send(message as Message);
  }
}

async function answerOf(answer: () => unknown): Promise<object> {
  try {
    return { result: await answer() };
  } catch (error) {
    if (error instanceof RequestError) return { error: error.toJSON() };
    const message = error instanceof Error ? error.message : String(error);
    return { error: { code: INTERNAL_ERROR, message } };
  }
}
