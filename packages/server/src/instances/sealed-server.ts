import {
  METHOD_NOT_FOUND,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type JSONRPCResultResponse,
  type RequestId,
  type Transport,
  type TransportSendOptions,
} from '@modelcontextprotocol/server';
import { NO_SUBSCRIPTIONS } from '../cluster/sealed-refusals.js';
import type { ServableServer } from '../options.js';
import type { SessionTransport } from './session-transport.js';

/** What needs that a server is kept between two requests. */
const NEEDS_KEEPING = /^(?:logging\/setLevel|resources\/(?:un)?subscribe|tasks\/.*)$/;
/** What a client can be asked, and cannot be asked here: its answer would come to any node. */
const QUESTIONS = ['elicitation', 'sampling', 'roots', 'tasks'];

/**
 * A server whose sessions are in their ids alone: the next request may be met by another server, on
 * another node. What that would break is neither promised nor passed on: what the server asks its client,
 * what it says outside of a request, and what stands from one request to the next.
 */
export class SealedServer implements ServableServer {
  readonly #server: ServableServer;

  constructor(server: ServableServer) {
    this.#server = server;
  }

  connect(transport: Transport): Promise<void> {
    return this.#server.connect(new SealedTransport(transport as SessionTransport));
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}

/** Between a server and the transport of its session. */
class SealedTransport implements Transport {
  onclose: Transport['onclose'];
  onerror: Transport['onerror'];
  onmessage: Transport['onmessage'];
  readonly setScopeChallengeResolver: SessionTransport['setScopeChallengeResolver'];
  readonly #inner: SessionTransport;
  /** Of `initialize`. */
  readonly #handshakes = new Set<RequestId>();

  constructor(inner: SessionTransport) {
    this.#inner = inner;
    this.setScopeChallengeResolver = (resolver) => inner.setScopeChallengeResolver(resolver);
    inner.onclose = () => this.onclose?.();
    inner.onerror = (error) => this.onerror?.(error);
    inner.onmessage = (message, extra) => {
      // Nobody is asked here.
      if (!('method' in message)) return;
      if ('id' in message && NEEDS_KEEPING.test(message.method)) {
        const { code, message: why } = NO_SUBSCRIPTIONS;
        void inner.send({ jsonrpc: '2.0', id: message.id, error: { code, message: why } });
        return;
      }
      this.onmessage?.(this.#received(message), extra);
    };
  }

  get sessionId(): string | undefined {
    return this.#inner.sessionId;
  }

  start(): Promise<void> {
    return this.#inner.start();
  }

  async send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if (!('method' in message)) return this.#inner.send(this.#answered(message), options);
    if ('id' in message) {
      const error = {
        code: METHOD_NOT_FOUND,
        message: 'The client of this server cannot be asked',
      };
      queueMicrotask(() => this.onmessage?.({ jsonrpc: '2.0', id: message.id, error }));
    } else if (options?.relatedRequestId !== undefined) await this.#inner.send(message, options);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #received<Message extends JSONRPCMessage>(message: Message): Message {
    if (!('method' in message) || message.method !== 'initialize') return message;
    const { id, params } = message as JSONRPCRequest;
    this.#handshakes.add(id);
    const capabilities = without(params?.['capabilities'], QUESTIONS);
    return { ...message, params: { ...params, capabilities } };
  }

  #answered<Answer extends JSONRPCMessage>(answer: Answer): Answer {
    if (!('result' in answer) || !this.#handshakes.delete(answer.id)) return answer;
    const { result } = answer as JSONRPCResultResponse;
    const left = without(result['capabilities'], ['logging', 'tasks']);
    const capabilities = Object.fromEntries(
      Object.entries(left).map(([name, value]) => [
        name,
        ['tools', 'prompts', 'resources'].includes(name)
          ? without(value, ['listChanged', 'subscribe'])
          : value,
      ]),
    );
    return { ...answer, result: { ...result, capabilities } };
  }
}

function without(value: unknown, names: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}
