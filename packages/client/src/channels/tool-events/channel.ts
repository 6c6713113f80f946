import {
  METHOD_NOT_FOUND,
  type CallToolResult,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type RequestId,
} from '@modelcontextprotocol/client';
import { ConnectionLostError, HttpStatusError, LongwireError } from '../../errors.js';
import type { Channel, ChannelHandlers } from '../channel.js';
import type { StreamEvent } from '../../http/event-decoder.js';
import type { EventStream } from '../../http/event-stream.js';
import { isSessionLost, saysSessionLost, sessionLostError } from '../session-lost.js';
import { toJson } from '../../untrusted/exact-json.js';
import type { HttpClient } from '../../http/client.js';
import { isAnswer } from '../message.js';
import { displayUrl } from '../../http/display-url.js';
import { CommentWatch } from './comment-watch.js';
import { ToolEventsResponse, type AnswerPlace } from './response.js';
import { jsonOrNone, parseTools, toCallResult, toFailedResult, type EventTool } from './payload.js';
import type { SendOptions } from '../../http/send-options.js';

/** What a tool-events channel is made with. */
export interface ToolEventsChannelOptions {
  http: HttpClient;
  stream: EventStream;
  /** What the `endpoint` event named; the session id is in its query. */
  endpoint: URL;
  /** The data of the `tools` event. */
  tools: string;
  maxEventBytes: number;
  handlers: ChannelHandlers;
}

/** A call in the queue. */
interface QueuedCall {
  request: JSONRPCRequest;
  body: string;
  onWire: (() => void) | undefined;
  caller: SendOptions | undefined;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * The tool-events transport. It looks like any MCP server with tools: the channel answers
 * `initialize` and `tools/list` itself, and turns `tools/call` into a POST.
 *
 * Nothing on the stream says which call a `result` belongs to. So a session starts with one call at a
 * time. Once the server has answered a call in the body of its POST, calls run in parallel; once it
 * has answered a call with 202, they run one at a time for good.
 */
export class ToolEventsChannel implements Channel {
  readonly transport = 'tool-events';
  readonly era = 'legacy';
  readonly address: string;
  /** Nothing on a stream says which call it belongs to, so that no stream can resume another. */
  readonly resumption: undefined;
  readonly #url: URL;
  readonly #http: HttpClient;
  readonly #stream: EventStream;
  readonly #sessionId: string;
  readonly #maxEventBytes: number;
  readonly #handlers: ChannelHandlers;
  #tools: EventTool[];
  #place: AnswerPlace | undefined;
  #queue: QueuedCall[] = [];
  /** The answer to a call came in the body of its POST, and not only the head. */
  #answeredInBody = false;
  readonly #commentWatch = new CommentWatch();
  /** When this channel answered a ping for the server. */
  #pingedAt = 0;
  readonly #running = new Map<RequestId, ToolEventsResponse>();
  #ended = false;

  constructor(options: ToolEventsChannelOptions) {
    this.#url = options.stream.url;
    this.address = displayUrl(this.#url);
    this.#http = options.http;
    this.#stream = options.stream;
    this.#sessionId = sessionIdOf(options.endpoint);
    this.#maxEventBytes = options.maxEventBytes;
    this.#handlers = options.handlers;
    this.#tools = parseTools(options.tools, options.http.jsonBounds);
    this.#stream.listener = {
      onEvent: (event) => this.#take(event),
      onComment: () => this.#commentWatch.comment(performance.now()),
      onEnd: (reason) => this.#end(reason),
    };
  }

  get lastActivityAt(): number {
    return Math.max(this.#stream.lastActivityAt, this.#pingedAt);
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
        // The transport cannot ask a server whether it is alive. A server whose regular comments have
        // stopped is not; a server without regular comments may be.
        if (this.#commentWatch.hasStopped(performance.now())) {
          // As if it had been sent, and not answered.
          onWire?.();
          return;
        }
        this.#pingedAt = performance.now();
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
    request: JSONRPCRequest,
    onWire: (() => void) | undefined,
    caller: SendOptions | undefined,
  ): Promise<void> {
    const { params } = request;
    const body = toJson({
      session_id: this.#sessionId,
      tool: params?.['name'],
      args: params?.['arguments'] ?? {},
    });
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, body, onWire, caller, resolve, reject });
      this.#startNext();
    });
  }

  #startNext(): void {
    while (this.#queue.length > 0 && (this.#running.size === 0 || this.#place === 'body')) {
      this.#start(this.#queue.shift() as QueuedCall);
    }
  }

  #start({ request, body, onWire, caller, resolve, reject }: QueuedCall): void {
    const { id } = request;
    const call = new ToolEventsResponse({
      http: this.#http,
      url: this.#url,
      request,
      body,
      maxEventBytes: this.#maxEventBytes,
      onWire,
      caller,
      onPlace: (place) => {
        // One 202 is enough: the next result on the stream could belong to any call.
        if (this.#place !== 'stream') this.#place = place;
        this.#startNext();
      },
    });
    this.#running.set(id, call);
    call.answer.then(
      (event) => {
        this.#running.delete(id);
        if (call.place === 'body') this.#answeredInBody = true;
        const toResult = event.type === 'result' ? toCallResult : toFailedResult;
        try {
          const result = toResult(event.data, this.#http.jsonBounds);
          this.#http.counts.received({ jsonrpc: '2.0', id, result }, event.data);
          this.#answer(id, result);
          resolve();
        } catch (error) {
          reject(asAnswered(error as LongwireError));
        }
        this.#startNext();
      },
      (error: LongwireError) => {
        reject(isLost(error) ? sessionLostError(this.#url, error) : error);
        if (this.#isResultExcluded(call, error)) {
          this.#running.delete(id);
          this.#startNext();
        } else {
          // The call fails first: its error says more than the end of the session.
          setImmediate(() => this.#end(resultPending(this.#url, error)));
        }
      },
    );
  }

  /** Whether no result of a failed call can come on the stream, where another call would get it. */
  #isResultExcluded(call: ToolEventsResponse, error: LongwireError): boolean {
    if (isLost(error)) return false;
    if (!call.isOnWire || error.certainty !== 'outcome-unknown') return true;
    return call.place === 'body' && this.#answeredInBody;
  }

  #cancel(id: unknown): void {
    const waiting = this.#queue.find(({ request }) => request.id === id);
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
      this.#takeUnasked(event, () => {
        this.#tools = parseTools(event.data, this.#http.jsonBounds);
        return { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };
      });
    } else if (event.type !== 'endpoint') {
      this.#takeUnasked(event, () => {
        const data = jsonOrNone(event.data, this.#http.jsonBounds) ?? event.data;
        const params = { event: event.type, data };
        return { jsonrpc: '2.0', method: 'notifications/event', params };
      });
    }
  }

  /** An event that cannot be read is dropped; the session stays open. */
  #takeUnasked(event: StreamEvent, read: () => JSONRPCMessage): void {
    let message: JSONRPCMessage;
    try {
      message = read();
    } catch (error) {
      this.#handlers.onError(error as LongwireError);
      return;
    }
    this.#http.counts.received(message, event.data);
    this.#handlers.onMessage(message);
  }

  #takeAnswer(event: StreamEvent): void {
    // A call without a response yet may be answered here, unless this server answers in the body.
    const waiting = [...this.#running.values()].filter(
      ({ place }) => place === 'stream' || (place === undefined && this.#place !== 'body'),
    );
    const [call] = waiting;
    if (call === undefined) {
      this.#handlers.onError(
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

  /** Calls in the queue were never sent. */
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

/** The result came, but it is not valid. */
function asAnswered({ summary, code, hint }: LongwireError): LongwireError {
  return new LongwireError(summary, { code, certainty: 'answered', hint });
}

function endedError(url: URL): LongwireError {
  return new ConnectionLostError(`the session with ${url.origin} had ended`, {
    certainty: 'not-sent',
  });
}

function resultPending(url: URL, cause: LongwireError): LongwireError {
  if (cause instanceof HttpStatusError) return cause;
  return new ConnectionLostError(
    `a call to ${url.origin} ended before its result came; ` +
      'the session cannot be used any more, because the next call would get that result',
    { certainty: 'outcome-unknown', cause },
  );
}

/** The transport has no ping to check a session: what the server says counts. */
function isLost(error: LongwireError): error is HttpStatusError {
  return isSessionLost(error) || saysSessionLost(error);
}
