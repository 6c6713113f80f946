import {
  METHOD_NOT_FOUND,
  type CallToolResult,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type RequestId,
} from '@modelcontextprotocol/client';
import { ConnectionLostError, HttpStatusError, LongwireError } from '../errors.js';
import type { Channel, ChannelHandlers, SendOptions } from './channel.js';
import type { StreamEvent } from './event-decoder.js';
import type { EventStream } from './event-stream.js';
import { forgottenError, isForgotten, saysForgotten } from './forgotten.js';
import { toJson } from './exact-json.js';
import type { Http } from './http.js';
import { isAnswer } from './message.js';
import { place } from './place.js';
import { Pulse } from './pulse.js';
import { ToolEventsCall, type AnswerPlace } from './tool-events-call.js';
import {
  jsonOrNone,
  parseTools,
  toCallResult,
  toFailedResult,
  type EventTool,
} from './tool-events-payload.js';

/** What a tool-events channel is made of. */
export interface ToolEventsChannelOptions {
  http: Http;
  stream: EventStream;
  /** What the `endpoint` event named; the session id is in its query. */
  endpoint: URL;
  /** The data of the `tools` event. */
  tools: string;
  maxEventBytes: number;
  handlers: ChannelHandlers;
}

/** A call that waits for its turn. */
interface QueuedCall {
  id: RequestId;
  body: string;
  onWire: (() => void) | undefined;
  caller: SendOptions | undefined;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * The tool-events dialect. Upwards it looks like any MCP server with tools: it answers
 * `initialize` and `tools/list` itself, and turns `tools/call` into the dialect's POST.
 *
 * Nothing on the stream says which call a `result` belongs to. So a session starts with one call
 * at a time; once the server has answered one in the body of its POST, calls run side by side,
 * and once it has answered one with 202, they run one at a time for good.
 */
export class ToolEventsChannel implements Channel {
  readonly dialect = 'tool-events';
  readonly era = 'legacy';
  readonly address: string;
  /** Nothing on the stream says which call it belongs to: no stream continues another. */
  readonly resumption: undefined;
  readonly #url: URL;
  readonly #http: Http;
  readonly #stream: EventStream;
  readonly #sessionId: string;
  readonly #maxEventBytes: number;
  readonly #handlers: ChannelHandlers;
  #tools: EventTool[];
  #place: AnswerPlace | undefined;
  #queue: QueuedCall[] = [];
  /** A call was answered in the body of its POST, and not merely taken there. */
  #answeredInBody = false;
  readonly #pulse = new Pulse();
  #vouchedAt = 0;
  readonly #running = new Map<RequestId, ToolEventsCall>();
  #ended = false;

  constructor(options: ToolEventsChannelOptions) {
    this.#url = options.stream.url;
    this.address = place(this.#url);
    this.#http = options.http;
    this.#stream = options.stream;
    this.#sessionId = sessionIdOf(options.endpoint);
    this.#maxEventBytes = options.maxEventBytes;
    this.#handlers = options.handlers;
    this.#tools = parseTools(options.tools, options.http.jsonBounds);
    this.#stream.listener = {
      onEvent: (event) => this.#take(event),
      onComment: () => this.#pulse.beat(performance.now()),
      onEnd: (reason) => this.#end(reason),
    };
  }

  get heardAt(): number {
    return Math.max(this.#stream.heardAt, this.#vouchedAt);
  }

  get askedDelayMs(): number | undefined {
    return this.#stream.retryMs;
  }

  async send(message: JSONRPCMessage, onWire?: () => void, options?: SendOptions): Promise<void> {
    if (this.#ended) throw endedError(this.#url);
    if (isAnswer(message)) return;
    if (!('id' in message)) {
      if (message.method === 'notifications/cancelled') this.#cancel(message.params?.['requestId']);
      return;
    }
    switch (message.method) {
      case 'initialize':
        this.#answer(message.id, {
          protocolVersion: '2024-11-05',
          capabilities: { tools: { listChanged: true } },
          serverInfo: { name: this.#url.host, version: 'unknown' },
        });
        return;
      case 'ping':
        // The dialect has nothing to ask a server whether it is there. What stopped is not there;
        // what was never regular may be.
        if (this.#pulse.hasStopped(performance.now())) {
          // As good as asked, and left without an answer.
          onWire?.();
          return;
        }
        this.#vouchedAt = performance.now();
        this.#answer(message.id, {});
        return;
      case 'tools/list':
        this.#answer(message.id, { tools: this.#tools });
        return;
      case 'tools/call':
        await this.#call(message, onWire, options);
        return;
      default:
        this.#handlers.onMessage({
          jsonrpc: '2.0',
          id: message.id,
          error: {
            code: METHOD_NOT_FOUND,
            message: `a tool-events server has tools only, and no ${message.method}`,
          },
        });
    }
  }

  async close(): Promise<void> {
    this.#ended = true;
    this.#stream.close();
    this.#failQueue();
    await this.#http.close();
  }

  #call(
    { id, params }: JSONRPCRequest,
    onWire: (() => void) | undefined,
    caller: SendOptions | undefined,
  ): Promise<void> {
    const body = toJson({
      session_id: this.#sessionId,
      tool: params?.['name'],
      args: params?.['arguments'] ?? {},
    });
    return new Promise((resolve, reject) => {
      this.#queue.push({ id, body, onWire, caller, resolve, reject });
      this.#startNext();
    });
  }

  #startNext(): void {
    while (this.#queue.length > 0 && (this.#running.size === 0 || this.#place === 'body')) {
      this.#start(this.#queue.shift() as QueuedCall);
    }
  }

  #start({ id, body, onWire, caller, resolve, reject }: QueuedCall): void {
    const call = new ToolEventsCall({
      http: this.#http,
      url: this.#url,
      body,
      maxEventBytes: this.#maxEventBytes,
      onWire,
      caller,
      onPlace: (place) => {
        // Having answered 202 once is for good: its next result could be anybody's.
        if (this.#place !== 'stream') this.#place = place;
        this.#startNext();
      },
    });
    this.#running.set(id, call);
    call.answer.then(
      (event) => {
        this.#http.counts.received();
        this.#running.delete(id);
        if (call.place === 'body') this.#answeredInBody = true;
        const toResult = event.type === 'result' ? toCallResult : toFailedResult;
        try {
          this.#answer(id, toResult(event.data, this.#http.jsonBounds));
          resolve();
        } catch (error) {
          reject(asAnswered(error as LongwireError));
        }
        this.#startNext();
      },
      (error: LongwireError) => {
        reject(isGone(error) ? forgottenError(this.#url, error) : error);
        if (this.#owesNothing(call, error)) {
          this.#running.delete(id);
          this.#startNext();
        } else {
          // Whoever made the call is told first, because that says more than the session's end.
          setImmediate(() => this.#end(spoilt(this.#url, error)));
        }
      },
    );
  }

  /** Whether no answer to a failed call can come on the stream, to be taken for another's. */
  #owesNothing(call: ToolEventsCall, error: LongwireError): boolean {
    if (isGone(error)) return false;
    if (!call.isOnWire || error.certainty !== 'outcome-unknown') return true;
    return call.place === 'body' && this.#answeredInBody;
  }

  #cancel(id: unknown): void {
    const waiting = this.#queue.find((queued) => queued.id === id);
    if (waiting !== undefined) {
      this.#queue = this.#queue.filter((queued) => queued !== waiting);
      waiting.reject(endedError(this.#url));
      return;
    }
    this.#running.get(id as RequestId)?.abort();
  }

  #take(event: StreamEvent): void {
    if (event.type === 'result' || event.type === 'error') {
      this.#takeAnswer(event);
    } else if (event.type === 'tools') {
      this.#takeUnasked(() => {
        this.#tools = parseTools(event.data, this.#http.jsonBounds);
        return { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };
      });
    } else if (event.type !== 'endpoint') {
      this.#takeUnasked(() => {
        const data = jsonOrNone(event.data, this.#http.jsonBounds) ?? event.data;
        const params = { event: event.type, data };
        return { jsonrpc: '2.0', method: 'notifications/event', params };
      });
    }
  }

  /** What cannot be read is dropped, and the session goes on. */
  #takeUnasked(read: () => JSONRPCMessage): void {
    let message: JSONRPCMessage;
    try {
      message = read();
    } catch (error) {
      this.#handlers.onTrouble(error as LongwireError);
      return;
    }
    this.#http.counts.received();
    this.#handlers.onMessage(message);
  }

  #takeAnswer(event: StreamEvent): void {
    // A call that has not been told where its answer will be may be answered here, unless this
    // server is known to answer in the body.
    const waiting = [...this.#running.values()].filter(
      ({ place }) => place === 'stream' || (place === undefined && this.#place !== 'body'),
    );
    const [call] = waiting;
    if (call === undefined) {
      this.#handlers.onTrouble(
        new LongwireError(`a ${event.type} event came that no call waits for; dropped`, {
          code: 'protocol',
          certainty: 'outcome-unknown',
        }),
      );
    } else if (waiting.length === 1) {
      call.settle(event);
    } else {
      this.#end(
        new LongwireError(
          `the server answered some calls in the body and others on the stream, so that a ` +
            `${event.type} event could belong to any of ${waiting.length} calls`,
          { code: 'protocol', certainty: 'outcome-unknown' },
        ),
      );
    }
  }

  #answer(id: RequestId, result: CallToolResult | Record<string, unknown>): void {
    if (!this.#ended) this.#handlers.onMessage({ jsonrpc: '2.0', id, result });
  }

  #end(reason: LongwireError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stream.close();
    this.#failQueue();
    this.#handlers.onEnd(reason);
  }

  /** What waited for its turn never left. */
  #failQueue(): void {
    for (const { reject } of this.#queue.splice(0)) reject(endedError(this.#url));
  }
}

function sessionIdOf(endpoint: URL): string {
  const id = endpoint.searchParams.get('session_id') ?? endpoint.searchParams.get('sessionId');
  if (id === null) {
    throw new LongwireError(`the endpoint ${endpoint.pathname} has no session_id in its query`, {
      code: 'protocol',
      certainty: 'not-sent',
    });
  }
  return id;
}

/** The result came, whatever is wrong with it. */
function asAnswered({ summary, code, hint }: LongwireError): LongwireError {
  return new LongwireError(summary, { code, certainty: 'answered', hint });
}

function endedError(url: URL): LongwireError {
  return new ConnectionLostError(`the session with ${url.origin} had ended`, {
    certainty: 'not-sent',
  });
}

function spoilt(url: URL, cause: LongwireError): LongwireError {
  if (cause instanceof HttpStatusError) return cause;
  return new ConnectionLostError(
    `a call to ${url.origin} ended while its result was still to come; ` +
      'the session cannot be used any more, because that result would be taken for the next call’s',
    { certainty: 'outcome-unknown', cause },
  );
}

/** The dialect has nothing to ask a session whether it is there: it is taken at its word. */
function isGone(error: LongwireError): error is HttpStatusError {
  return isForgotten(error) || saysForgotten(error);
}
