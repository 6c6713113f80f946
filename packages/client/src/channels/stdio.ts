import type { Buffer } from 'node:buffer';
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/client';
import { ConnectionLostError, LongwireError } from '../errors.js';
import type { Channel, ChannelHandlers, Era } from './channel.js';
import { toJson } from './exact-json.js';
import type { JsonBounds } from './json.js';
import { LineDecoder } from './line-decoder.js';
import { readAnswers, readMessages, type ReadMessage, type ReadOptions } from './message.js';
import { Outbox } from './outbox.js';
import { StdioProcess, type StdioCommand } from './stdio-process.js';
import type { TrafficCounts } from './traffic-counts.js';
import { asLongwireError } from './unhandled.js';

/** At so many places a first message is looked for on its line. */
const MAX_TRIES = 8;

/** What a stdio channel is opened with. */
export interface StdioChannelOptions extends StdioCommand {
  /** What one line of the server may hold, in UTF-16 code units. */
  maxEventBytes: number;
  /** What one message may hold. Default: the defaults of `limits`. */
  jsonBounds?: JsonBounds | undefined;
  handlers: ChannelHandlers;
  counts: TrafficCounts;
}

/**
 * A server that is a process of our own: one JSON-RPC message a line, over its standard input and
 * output. What it writes there beside messages is reported as trouble, and survived.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#stdio
 */
export class StdioChannel implements Channel {
  readonly dialect = 'stdio';
  /** Found out, by who opens it, with the first request. Default `legacy`. */
  era: Era = 'legacy';
  heardAt: number = performance.now();
  readonly askedDelayMs: undefined;
  readonly resumption: undefined;
  readonly #process: StdioProcess;
  readonly #decoder: LineDecoder;
  readonly #outbox: Outbox;
  readonly #handlers: ChannelHandlers;
  readonly #counts: TrafficCounts;
  readonly #reading: ReadOptions;
  #ended = false;
  /** It has sent a message. */
  #isHeard = false;

  private constructor(process: StdioProcess, options: StdioChannelOptions) {
    const { maxEventBytes, handlers, counts } = options;
    this.#process = process;
    this.#handlers = handlers;
    this.#counts = counts;
    this.#reading = { bounds: options.jsonBounds };
    this.#outbox = new Outbox(process.stdin, counts);
    this.#decoder = new LineDecoder({ maxEventBytes, onLine: (line) => this.#take(line) });
    process.listener = {
      onData: (chunk) => this.#hear(chunk),
      onEnd: (reason) => {
        this.#read(() => this.#decoder.end());
        this.#end(reason);
      },
    };
  }

  /**
   * Starts the process. What it says reaches `handlers` after this is fulfilled.
   *
   * @throws LongwireError `connect-failed` if there is no such program, or it cannot be run.
   */
  static async open(options: StdioChannelOptions): Promise<StdioChannel> {
    return new StdioChannel(await StdioProcess.start(options), options);
  }

  get address(): string {
    return this.#process.address;
  }

  /** The id of the process that was started. */
  get pid(): number {
    return this.#process.pid;
  }

  /** The end of what it wrote to its standard error, at most 4 KiB; control sequences included. */
  get lastWords(): string {
    return this.#process.lastWords;
  }

  async send(message: JSONRPCMessage, onWire?: () => void): Promise<void> {
    if (this.#ended || this.#process.isFailing) throw this.#endedError();
    if (isCancellation(message)) {
      if (this.#outbox.withdraw(message.params?.['requestId'] as RequestId)) return;
    }
    const requestId = 'method' in message && 'id' in message ? message.id : undefined;
    await this.#outbox.send({ text: toJson(message), requestId, onWire });
  }

  async close(): Promise<void> {
    this.#ended = true;
    this.#outbox.drop(
      new LongwireError(`the connection to ${this.address} was closed`, {
        code: 'closed',
        certainty: 'not-sent',
      }),
    );
    await this.#process.end();
  }

  #hear(chunk: Buffer): void {
    this.heardAt = performance.now();
    this.#counts.heard(chunk.length);
    this.#read(() => this.#decoder.push(chunk));
  }

  /** What reads may throw, and that is the end: of the decoder, or of who takes the messages. */
  #read(read: () => void): void {
    // A server that ends may have much to say until it does, and must be able to.
    if (this.#ended) return;
    try {
      read();
    } catch (error) {
      this.#end(asLongwireError(error));
    }
  }

  #take(line: string): void {
    // Closed by who took the line before.
    if (this.#ended) return;
    const text = this.#isHeard ? line : withoutBanner(line, this.#reading);
    readMessages(text, this.#takeMessage, this.#reading);
  }

  readonly #takeMessage = ({ message, error, answerTo }: ReadMessage): void => {
    if (this.#ended) return;
    if (message === undefined) {
      this.#handlers.onTrouble(error, answerTo);
      return;
    }
    this.#isHeard = true;
    this.#counts.received();
    this.#handlers.onMessage(message);
  };

  #end(reason: LongwireError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#outbox.drop(this.#endedError());
    void this.#process.end();
    this.#handlers.onEnd(reason);
  }

  #endedError(): LongwireError {
    return new ConnectionLostError(`the connection to ${this.address} had ended`, {
      certainty: 'not-sent',
    });
  }
}

function isCancellation(
  message: JSONRPCMessage,
): message is JSONRPCMessage & { params?: Record<string, unknown> } {
  return 'method' in message && message.method === 'notifications/cancelled';
}

/**
 * What a program greets its user with need not end before its first message. Only an answer is
 * believed to stand behind it: a line may quote a message.
 */
function withoutBanner(line: string, reading: ReadOptions): string {
  if (line.startsWith('{')) return line;
  let start = line.indexOf('{"', 1);
  for (let tries = 0; start !== -1 && tries < MAX_TRIES; tries++) {
    const message = line.slice(start);
    let isAnswer = false;
    readAnswers(message, () => (isAnswer = true), reading);
    if (isAnswer) return message;
    start = line.indexOf('{"', start + 1);
  }
  return line;
}
