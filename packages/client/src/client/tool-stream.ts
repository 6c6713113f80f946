import { AsyncResource } from 'node:async_hooks';
import { setMaxListeners } from 'node:events';
import type {
  CallToolResult,
  JSONRPCMessage,
  LoggingMessageNotificationParams,
  Progress,
} from '@modelcontextprotocol/client';
import { isLog } from './events.js';
import { checkOperationOptions } from './options.js';
import type { CallToolOptions } from './types.js';
import { checkPositive } from '../options/checks.js';

const DEFAULT_BUFFER_SIZE = 100;

/** What happens during a call of a tool; its result comes last. */
export type ToolStreamEvent<Result = CallToolResult> =
  | { type: 'progress'; progress: Progress }
  | { type: 'log'; message: LoggingMessageNotificationParams }
  | { type: 'result'; result: Result };

/** Options of a call whose events are read one after the other. */
export interface ToolStreamOptions extends Omit<CallToolOptions, 'onProgress'> {
  /**
   * How many events wait for a loop that is slower than the server. Beyond that, progress which
   * later progress has overtaken is left out, and after that the oldest log messages. Default 100.
   */
  bufferSize?: number;
}

type PassingEvent = Exclude<ToolStreamEvent, { type: 'result' }>;

/** Passes log messages of the server on to the streams that are open. */
export class LogTap {
  readonly #takers = new Set<(message: LoggingMessageNotificationParams) => void>();

  /** The function returned ends it. */
  open(take: (message: LoggingMessageNotificationParams) => void): () => void {
    this.#takers.add(take);
    return () => this.#takers.delete(take);
  }

  /** Takes every message of the server that is no answer. */
  take(message: JSONRPCMessage): void {
    if (this.#takers.size === 0) return;
    if (!('method' in message) || message.method !== 'notifications/message') return;
    const { params } = message;
    if (!isLog(params)) return;
    for (const taker of this.#takers) taker(params);
  }
}

/** What a stream is made of. */
export interface ToolStreamSource {
  call: (options: CallToolOptions) => Promise<CallToolResult>;
  logs: Pick<LogTap, 'open'>;
}

/**
 * The events of one call, as a loop reads them. The call is made when the loop begins, in the async
 * context in which the stream was made.
 *
 * @throws TypeError that names an option; within the loop, what the call fails with.
 */
export function streamTool(
  source: ToolStreamSource,
  options: ToolStreamOptions,
): AsyncGenerator<ToolStreamEvent, void, undefined> {
  checkOperationOptions(withoutSize(options));
  if ('onProgress' in options) {
    throw new TypeError('onProgress: no such option; the stream itself brings progress');
  }
  const { bufferSize } = options;
  checkPositive('bufferSize', bufferSize);
  if (bufferSize !== undefined && !Number.isInteger(bufferSize)) {
    throw new TypeError(`bufferSize: ${bufferSize} is not a whole number`);
  }
  const scope = new AsyncResource('longwire.stream');
  const call: ToolStreamSource['call'] = (callOptions) =>
    scope.runInAsyncScope(() => source.call(callOptions));
  return eventsOf({ ...source, call }, options);
}

async function* eventsOf(
  { call, logs }: ToolStreamSource,
  options: ToolStreamOptions,
): AsyncGenerator<ToolStreamEvent, void, undefined> {
  const { bufferSize = DEFAULT_BUFFER_SIZE, signal } = options;
  const waiting = new Waiting(bufferSize);
  const leaving = new AbortController();
  const follow = (): void => leaving.abort(signal?.reason);
  if (signal !== undefined) {
    // One signal may end many calls.
    setMaxListeners(0, signal);
    signal.addEventListener('abort', follow, { once: true });
    if (signal.aborted) follow();
  }
  const closeTap = logs.open((message) => waiting.add({ type: 'log', message }));
  const settled = call({
    ...withoutSize(options),
    signal: leaving.signal,
    onProgress: (progress) => waiting.add({ type: 'progress', progress }),
  })
    .then(
      (result) => ({ result }),
      (error: unknown) => ({ error }),
    )
    .finally(() => {
      closeTap();
      waiting.end();
    });
  try {
    while (await waiting.some()) {
      for (let event = waiting.next(); event !== undefined; event = waiting.next()) yield event;
    }
    const outcome = await settled;
    if ('error' in outcome) throw outcome.error;
    yield { type: 'result', result: outcome.result };
  } finally {
    signal?.removeEventListener('abort', follow);
    // Harmless when the call is over; it is not when the loop was left early.
    leaving.abort();
    await settled;
  }
}

function withoutSize(options: ToolStreamOptions): CallToolOptions {
  const { bufferSize: _, ...rest } = options;
  return rest;
}

/** Events that the loop has not asked for yet. */
class Waiting {
  readonly #size: number;
  readonly #events: PassingEvent[] = [];
  #onSome: (() => void) | undefined;
  #isOver = false;

  constructor(size: number) {
    this.#size = size;
  }

  add(event: PassingEvent): void {
    this.#events.push(event);
    if (this.#events.length > this.#size) this.#events.splice(this.#leastMissed(), 1);
    this.#onSome?.();
  }

  next(): PassingEvent | undefined {
    return this.#events.shift();
  }

  /** Fulfilled when there is an event; false if there is none, and none will come. */
  async some(): Promise<boolean> {
    if (this.#events.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#onSome = resolve;
      });
    }
    return this.#events.length > 0;
  }

  /** No more will come. */
  end(): void {
    this.#isOver = true;
    this.#onSome?.();
  }

  /** The oldest progress that later progress has overtaken, else the oldest log message. */
  #leastMissed(): number {
    const latest = this.#events.findLastIndex(({ type }) => type === 'progress');
    const overtaken = this.#events.findIndex(({ type }, i) => type === 'progress' && i < latest);
    if (overtaken !== -1) return overtaken;
    return Math.max(
      0,
      this.#events.findIndex(({ type }) => type === 'log'),
    );
  }
}
