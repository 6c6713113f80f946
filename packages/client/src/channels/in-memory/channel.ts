import { AsyncResource } from 'node:async_hooks';
import {
  InMemoryTransport,
  type JSONRPCMessage,
  type Transport,
} from '@modelcontextprotocol/client';
import { ConnectionLostError, LongwireError } from '../../errors.js';
import type { Channel, ChannelHandlers } from '../channel.js';
import { toMessage } from '../message.js';
import type { TrafficCounts } from '../../http/traffic-counts.js';
import { asLongwireError } from '../../error-facts.js';
import type { Era } from '../../protocol-version.js';
import type { SendOptions } from '../../http/send-options.js';

/** An `McpServer` or `Server` of the official SDK, by its shape. */
export interface MountableServer {
  connect(transport: Transport): Promise<void>;
  close(): Promise<void>;
}

/** What an in-memory channel is made with. */
export interface InMemoryChannelOptions {
  handlers: ChannelHandlers;
  counts: TrafficCounts;
}

/**
 * A server in this process. Messages are passed as objects, without a copy, and leave at once: none can
 * be withdrawn.
 */
export class InMemoryChannel implements Channel {
  readonly transport = 'in-memory';
  /** Set by whoever opens it, with the first request. Default `legacy`. */
  era: Era = 'legacy';
  readonly address = 'a server in this process';
  readonly askedDelayMs: undefined;
  readonly resumption: undefined;
  readonly #near: Transport;
  readonly #server: MountableServer;
  readonly #handlers: ChannelHandlers;
  readonly #counts: TrafficCounts;
  /** The server handles internal messages in the async context of whoever opened the channel. */
  readonly #scope = new AsyncResource('longwire.channel');
  #ended = false;
  #closed: Promise<void> | undefined;

  private constructor(
    near: Transport,
    server: MountableServer,
    { handlers, counts }: InMemoryChannelOptions,
  ) {
    this.#near = near;
    this.#server = server;
    this.#handlers = handlers;
    this.#counts = counts;
    near.onmessage = (message) => this.#take(message);
    near.onclose = () => this.#end(closedByServer());
  }

  /**
   * Makes a server and connects to it. The channel owns the server and closes it.
   *
   * @throws LongwireError `connect-failed` if it could not be made, or did not connect.
   */
  static async open(
    target: { server: () => MountableServer | Promise<MountableServer> },
    options: InMemoryChannelOptions,
  ): Promise<InMemoryChannel> {
    const [near, far] = InMemoryTransport.createLinkedPair();
    let server: MountableServer | undefined;
    try {
      server = await target.server();
      await server.connect(far);
    } catch (cause) {
      await Promise.allSettled([near.close(), server?.close()]);
      throw notMade(cause);
    }
    const channel = new InMemoryChannel(near, server, options);
    // Delivers what the server has sent already.
    await near.start();
    return channel;
  }

  /** Always now: no network is between it and its server. */
  get lastActivityAt(): number {
    return performance.now();
  }

  async send(
    message: JSONRPCMessage,
    onWire?: () => void,
    options: SendOptions = { internal: true },
  ): Promise<void> {
    if (this.#ended) {
      throw new ConnectionLostError('the connection to a server in this process had ended', {
        certainty: 'not-sent',
      });
    }
    onWire?.();
    this.#counts.sent(0);
    this.#counts.observe?.({ type: 'message', direction: 'sent', message, bytes: 0 });
    try {
      const { scope = this.#scope } = options;
      await scope.runInAsyncScope(() => this.#near.send(message));
    } catch (cause) {
      throw new ConnectionLostError(
        `the server in this process did not take a message: ${reasonOf(cause)}`,
        {
          certainty: 'outcome-unknown',
          cause,
        },
      );
    }
  }

  close(): Promise<void> {
    this.#ended = true;
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** An error while a program's own server closes is no error of the connection. */
  async #close(): Promise<void> {
    await Promise.allSettled([this.#near.close(), this.#server.close()]);
  }

  #take(value: JSONRPCMessage): void {
    if (this.#ended) return;
    this.#counts.heard(0);
    const read = toMessage(value, () => excerptOf(value));
    try {
      if (read.message === undefined) {
        this.#handlers.onError(read.error, read.answerTo);
        return;
      }
      this.#counts.received(read.message, '');
      this.#handlers.onMessage(read.message);
    } catch (error) {
      // The handlers threw, not the server.
      this.#end(asLongwireError(error));
    }
  }

  #end(reason: LongwireError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#closed ??= this.#close();
    this.#handlers.onEnd(reason);
  }
}

/** The text of a message; a value that is no JSON has none. */
function excerptOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

function closedByServer(): LongwireError {
  return new ConnectionLostError('the server in this process closed the connection', {
    certainty: 'outcome-unknown',
  });
}

function notMade(cause: unknown): LongwireError {
  return new LongwireError(`the server in this process could not be made: ${reasonOf(cause)}`, {
    code: 'connect-failed',
    certainty: 'not-sent',
    hint: 'see what server() does',
    cause,
  });
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
