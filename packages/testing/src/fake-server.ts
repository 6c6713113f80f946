import type { MountableServer, Progress } from '@longwire/client';

type Transport = Parameters<MountableServer['connect']>[0];
type Message = Parameters<NonNullable<Transport['onmessage']>>[0];
type Params = Readonly<Record<string, unknown>>;

/** What the answer to a request is made with. */
export interface RequestOptions {
  signal: AbortSignal;
  onProgress: (progress: Progress) => void;
}

/** A request that is answered with a JSON-RPC error. */
export class RequestError extends Error {
  readonly number: number;

  constructor(number: number, message: string) {
    super(message);
    this.number = number;
  }
}

const INTERNAL_ERROR = -32_603;

/** One session of a server in this process: JSON-RPC over a transport of the official SDK. */
export class FakeSession implements MountableServer {
  readonly #answer: (method: string, params: Params, options: RequestOptions) => unknown;
  readonly #onClose: (session: FakeSession) => void;
  readonly #running = new Map<unknown, AbortController>();
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
    await this.#transport?.close();
  }

  /** Sends a notification. */
  async notify(method: string, params: object | undefined): Promise<void> {
    await this.#send({ jsonrpc: '2.0', method, ...(params !== undefined && { params }) });
  }

  #take(message: Message): void {
    // An answer: it asks nothing.
    if (!('method' in message)) return;
    const params: Params = message.params ?? {};
    if (!('id' in message)) {
      if (message.method === 'notifications/cancelled') {
        this.#running.get(params['requestId'])?.abort();
      }
      return;
    }
    void this.#run(message.id, message.method, params);
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
      this.#answer(method, params, { signal: running.signal, onProgress }),
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
    const code = error instanceof RequestError ? error.number : INTERNAL_ERROR;
    return { error: { code, message: error instanceof Error ? error.message : String(error) } };
  }
}
