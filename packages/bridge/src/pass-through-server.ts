import type { ConnectionState, LongwireTransport } from '@longwire/client';
import type { ServableServer } from '@longwire/server';
import type {
  JSONRPCMessage,
  JSONRPCNotification,
  JSONRPCRequest,
  RequestId,
  Transport,
} from '@modelcontextprotocol/server';
import { failedAnswer } from './failed-answer.js';

/** What a server is made with. */
export interface PassThroughServerOptions {
  /** Whether what is behind it is a process, which is over when its connection is. */
  readonly isProcess: boolean;
  readonly onError: ((error: Error) => void) | undefined;
}

/** A request of the client that has no answer. */
interface Running {
  readonly request: JSONRPCRequest;
  /** Fulfilled when it has been answered, by whomever. */
  readonly over: Promise<void>;
}

/** The server of one session, which is another one. */
export class PassThroughServer implements ServableServer {
  readonly #upstream: LongwireTransport;
  readonly #options: PassThroughServerOptions;
  /** In the order in which they came. */
  readonly #running = new Map<RequestId, Running>();
  #client: Transport | undefined;
  #wasReady = false;
  #closing: Promise<void> | undefined;

  constructor(upstream: LongwireTransport, options: PassThroughServerOptions) {
    this.#upstream = upstream;
    this.#options = options;
  }

  async connect(client: Transport): Promise<void> {
    const upstream = this.#upstream;
    this.#client = client;
    client.onmessage = (message) => this.#fromClient(message);
    client.onclose = () => void this.close();
    upstream.onmessage = (message) => void this.#toClient(message);
    upstream.onerror = (error) => this.#options.onError?.(error);
    upstream.onclose = () => void this.#end();
    upstream.onstate = (state) => this.#stateChanged(state);
    await client.start();
  }

  /** Ends the server behind; fulfilled when nothing of it is left. Harmless when repeated. */
  close(): Promise<void> {
    return (this.#closing ??= this.#upstream.close());
  }

  #fromClient(message: JSONRPCMessage): void {
    if ('method' in message && 'id' in message) {
      this.#running.set(message.id, { request: message, over: this.#ask(message) });
      return;
    }
    if ('method' in message && message.method === 'notifications/cancelled') {
      // Who cancels takes no answer.
      this.#running.delete(message.params?.['requestId'] as RequestId);
    }
    // What cannot be delivered concerns a session that is over, or comes again.
    this.#upstream.send(message).catch((error: unknown) => this.#options.onError?.(error as Error));
  }

  async #ask(request: JSONRPCRequest): Promise<void> {
    try {
      await this.#upstream.send(request);
    } catch (error) {
      if (this.#running.get(request.id)?.request !== request) return;
      this.#options.onError?.(error as Error);
      await this.#toClient(failedAnswer(request.id, error));
    }
  }

  async #toClient(message: JSONRPCMessage): Promise<void> {
    const isAnswer = !('method' in message);
    if (isAnswer && message.id !== undefined) this.#running.delete(message.id);
    const relatedRequestId = isAnswer ? undefined : this.#relatedTo(message);
    try {
      await this.#client?.send(message, relatedRequestId === undefined ? {} : { relatedRequestId });
    } catch {
      // The session is over: nobody takes it.
    }
  }

  /**
   * The request that a message belongs to, on whose stream its client reads it. Only progress says so. All
   * else but news of lists and resources comes of something that runs, as far as can be known of the
   * latest: not every client has a stream of its own for it.
   */
  #relatedTo({ method, params }: JSONRPCRequest | JSONRPCNotification): RequestId | undefined {
    if (method.endsWith('/list_changed') || method === 'notifications/resources/updated') {
      return undefined;
    }
    const running = [...this.#running.values()].map(({ request }) => request);
    const token = method === 'notifications/progress' ? params?.['progressToken'] : undefined;
    const found =
      token === undefined
        ? undefined
        : running.find((request) => request.params?._meta?.progressToken === token);
    return (found ?? running.at(-1))?.id;
  }

  #stateChanged(state: ConnectionState): void {
    if (state.name === 'ready') this.#wasReady = true;
    else if (this.#wasReady && this.#options.isProcess && state.name !== 'closed') {
      if ('reason' in state) this.#options.onError?.(state.reason);
      void this.#end();
    }
  }

  /** The server behind is over: answers what runs, and ends the session. */
  async #end(): Promise<void> {
    const running = [...this.#running.values()];
    await this.close();
    await Promise.all(running.map(({ over }) => over));
    await this.#client?.close();
  }
}
