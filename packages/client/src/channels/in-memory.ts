import { AsyncResource } from 'node:async_hooks';
import {
  InMemoryTransport,
  type JSONRPCMessage,
  type Transport,
} from '@modelcontextprotocol/client';
import { ConnectionLostError, LongwireError } from '../errors.js';
import type { Channel, ChannelHandlers, Era, SendOptions } from './channel.js';
import { toMessage } from './message.js';
import type { TrafficCounts } from './traffic-counts.js';
import { asLongwireError } from './unhandled.js';

/** An `McpServer` or `Server` of the official SDK, by what is needed of it. */
export interface MountableServer {
  connect(transport: Transport): Promise<void>;
  close(): Promise<void>;
}

/** What an in-memory channel is opened with. */
export interface InMemoryChannelOptions {
  handlers: ChannelHandlers;
  counts: TrafficCounts;
}

/**
 * A server in this process. Messages are handed over as the objects that they are, without being
 * copied, and all leave at once: there is nothing to withdraw.
 */
export class InMemoryChannel implements Channel {
  readonly dialect = 'in-memory';
  /** Found out, by who opens it, with the first request. Default `legacy`. */
  era: Era = 'legacy';
  readonly address = 'a server in this process';
  readonly askedDelayMs: undefined;
  readonly resumption: undefined;
  readonly #near: Transport;
  readonly #server: MountableServer;
  readonly #handlers: ChannelHandlers;
  readonly #counts: TrafficCounts;
  /** What belongs to no call is handled by the server in the context of whoever opened it. */
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
   * Makes a server and connects to it. It belongs to the channel from then on, which closes it.
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
    // Gives out what the server has said already.
    await near.start();
    return channel;
  }

  /** Now: nothing lies between it and its server that could fall silent. */
  get heardAt(): number {
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

  /** What fails while a program's own server closes is no failure of the connection. */
  async #close(): Promise<void> {
    await Promise.allSettled([this.#near.close(), this.#server.close()]);
  }

  #take(value: JSONRPCMessage): void {
    if (this.#ended) return;
    this.#counts.heard(0);
    const read = toMessage(value, () => excerptOf(value));
    try {
      if (read.message === undefined) {
        this.#handlers.onTrouble(read.error, read.answerTo);
        return;
      }
      this.#counts.received();
      this.#handlers.onMessage(read.message);
    } catch (error) {
      // It is who takes the messages that ends the channel like this, and not the server's affair.
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

/** What is no JSON either has no text to quote. */
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
