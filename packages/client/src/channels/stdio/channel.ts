import { Buffer } from 'node:buffer';
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/client';
import { ConnectionLostError, LongwireError } from '../../errors.js';
import type { Channel, ChannelHandlers } from '../channel.js';
import { toJson } from '../../untrusted/exact-json.js';
import type { JsonBounds } from '../../untrusted/json.js';
import { LineDecoder } from './line-decoder.js';
import { readAnswers, readMessages, type ReadMessage, type ReadOptions } from '../message.js';
import { MAX_LINE_CHARACTERS } from './output-lines.js';
import { WriteQueue } from './write-queue.js';
import { StdioProcess, type StdioCommand } from './process.js';
import type { TrafficCounts } from '../../http/traffic-counts.js';
import { asLongwireError } from '../../error-facts.js';
import type { Era } from '../../protocol-version.js';

/** At how many places of a line the first message is searched. */
const MAX_TRIES = 8;

/** What a stdio channel is made with. */
export interface StdioChannelOptions extends StdioCommand {
  /** How long one line of the server may be, in UTF-16 code units. */
  maxEventBytes: number;
  /** What one message may hold. Default: the defaults of `limits`. */
  jsonBounds?: JsonBounds | undefined;
  handlers: ChannelHandlers;
  counts: TrafficCounts;
}

/**
 * A server that is a child process: one JSON-RPC message a line, over its standard input and output.
 * Lines that are no messages are reported as errors; the channel stays open.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#stdio
 */
export class StdioChannel implements Channel {
  readonly transport = 'stdio';
  /** Set by whoever opens it, with the first request. Default `legacy`. */
  era: Era = 'legacy';
  lastActivityAt: number = performance.now();
  readonly askedDelayMs: undefined;
  readonly resumption: undefined;
  readonly #process: StdioProcess;
  readonly #decoder: LineDecoder;
  readonly #writeQueue: WriteQueue;
  readonly #handlers: ChannelHandlers;
  readonly #counts: TrafficCounts;
  readonly #reading: ReadOptions;
  #ended = false;
  /** The server has sent a message. */
  #hasSpoken = false;

  private constructor(process: StdioProcess, options: StdioChannelOptions) {
    const { maxEventBytes, handlers, counts } = options;
    this.#process = process;
    this.#handlers = handlers;
    this.#counts = counts;
    this.#reading = { bounds: options.jsonBounds };
    this.#writeQueue = new WriteQueue(process.stdin, counts);
    this.#decoder = new LineDecoder({ maxEventBytes, onLine: (line) => this.#take(line) });
    process.listener = {
      onData: (chunk) => this.#receive(chunk),
      onEnd: (reason) => {
        this.#read(() => this.#decoder.end());
        this.#end(reason);
      },
    };
  }

  /**
   * Starts the process. Its messages reach `handlers` after this is fulfilled.
   *
   * @throws LongwireError `connect-failed` if there is no such program, or it cannot be run.
   */
  static async open(options: StdioChannelOptions): Promise<StdioChannel> {
    const { observe } = options.counts;
    return new StdioChannel(await StdioProcess.start(options, observe), options);
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
      if (this.#writeQueue.withdraw(message.params?.['requestId'] as RequestId)) return;
    }
    const requestId = 'method' in message && 'id' in message ? message.id : undefined;
    const text = toJson(message);
    await this.#writeQueue.send({ text, requestId, onWire: this.#observed(message, text, onWire) });
  }

  async close(): Promise<void> {
    this.#ended = true;
    this.#writeQueue.drop(
      new LongwireError(`the connection to ${this.address} was closed`, {
        code: 'closed',
        certainty: 'not-sent',
      }),
    );
    await this.#process.end();
  }

  #receive(chunk: Buffer): void {
    this.lastActivityAt = performance.now();
    this.#counts.heard(chunk.length);
    this.#read(() => this.#decoder.push(chunk));
  }

  /** The decoder or the handlers may throw, which ends the channel. */
  #read(read: () => void): void {
    // A process that exits may still write much, and must not be blocked.
    if (this.#ended) return;
    try {
      read();
    } catch (error) {
      this.#end(asLongwireError(error));
    }
  }

  #take(line: string): void {
    // The handler of the line before may have closed the channel.
    if (this.#ended) return;
    const text = this.#hasSpoken ? line : withoutBanner(line, this.#reading);
    if (text !== line) this.#observeLine(line.slice(0, -text.length));
    readMessages(text, this.#takeMessage, this.#reading);
  }

  readonly #takeMessage = ({ message, error, answerTo }: ReadMessage, text?: string): void => {
    if (this.#ended) return;
    if (message === undefined) {
      if (answerTo === undefined && text !== undefined) this.#observeLine(text);
      this.#handlers.onError(error, answerTo);
      return;
    }
    this.#hasSpoken = true;
    this.#counts.received(message, text);
    this.#handlers.onMessage(message);
  };

  /** `onWire`, which also tells whoever observes the messages that are sent. */
  #observed(message: JSONRPCMessage, text: string, onWire?: () => void): (() => void) | undefined {
    const { observe } = this.#counts;
    if (observe === undefined) return onWire;
    return () => {
      observe({ type: 'message', direction: 'sent', message, bytes: Buffer.byteLength(text) });
      onWire?.();
    };
  }

  /** A line on its standard output is no message. */
  #observeLine(line: string): void {
    this.#counts.observe?.({
      type: 'output',
      from: 'stdout',
      pid: this.pid,
      line: line.slice(0, MAX_LINE_CHARACTERS),
    });
  }

  #end(reason: LongwireError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#writeQueue.drop(this.#endedError());
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
 * The first message without the banner of the program on the same line. Only an answer counts behind
 * a banner: a line may quote a message.
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
