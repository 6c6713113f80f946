import type { Buffer } from 'node:buffer';
import type { JSONRPCRequest, JSONRPCResponse } from '@modelcontextprotocol/client';
import { EventCursor } from '../http/event-cursor.js';
import { EventDecoder, type StreamEvent } from '../http/event-decoder.js';
import { checkKept, type EventStream, type EventStreamListener } from '../http/event-stream.js';
import type { HttpClient } from '../http/client.js';
import { isAnswer, readMessages, type ReadMessage } from '../channels/message.js';
import { Post } from '../channels/sse/post.js';
import { HttpStatusError, LongwireError } from '../errors.js';
import { decide, type Evidence } from './decide.js';
import type { TransportName } from '../transport-name.js';

/** What each kept event counts, beside its text. */
const KEPT_EVENT_SIZE = 64;
/** How long a server has to show whether it speaks tool-events or HTTP+SSE. */
const GRACE_MS = 1000;

/** What came of `initialize`. */
export type IntroductionOutcome =
  /** `endpoint` is the one that took it. */
  | { transport: 'sse'; answer: JSONRPCResponse; endpoint: URL }
  | { transport: 'tool-events' | 'tool-events-unanswered' };

/** What `initialize` is sent with. */
export interface InitializeOptions {
  http: HttpClient;
  endpoint: URL;
  /** Where to send it if nothing is at `endpoint`. Default: nowhere. */
  fallback?: URL | undefined;
  transport: TransportName | undefined;
  initialize: JSONRPCRequest;
  maxEventBytes: number;
}

/**
 * Listens to a stream until a channel takes it over. Keeps for the channel the events that nobody has
 * read by then.
 */
export class Opening implements EventStreamListener {
  /** The position in the stream of a new session. */
  readonly cursor: EventCursor = new EventCursor();
  readonly #maxEventBytes: number;
  readonly #kept: StreamEvent[] = [];
  #keptSize = 0;
  #endpoint: string | undefined;
  #tools: string | undefined;
  #ended: LongwireError | undefined;
  /** Checks whether the awaited thing has come. */
  #check: () => void = () => {};
  /** Reads an event before it is kept; true if it need not be kept. */
  #read: (event: StreamEvent) => boolean = () => false;

  constructor(maxEventBytes: number) {
    this.#maxEventBytes = maxEventBytes;
  }

  onEvent(event: StreamEvent): void {
    if (event.type === 'endpoint') this.#endpoint ??= event.data;
    else if (event.type === 'tools') this.#tools = event.data;
    else if (!this.#read(event)) {
      this.#keep(event);
      return;
    }
    // The ids of kept events are taken by the channel.
    if (event.id !== undefined) this.cursor.take(event.id);
    this.#check();
  }

  #keep(event: StreamEvent): void {
    const { type, data, id = '' } = event;
    this.#keptSize += type.length + data.length + id.length + KEPT_EVENT_SIZE;
    checkKept(this.#keptSize, this.#maxEventBytes);
    this.#kept.push(event);
    this.#check();
  }

  onEnd(reason: LongwireError): void {
    // A stream that ends before its endpoint event is not MCP.
    const isNone = this.#endpoint === undefined && reason.code === 'connection-lost';
    this.#ended ??= isNone
      ? new LongwireError(`${reason.message}, before its endpoint event`, {
          code: 'not-mcp',
          certainty: 'not-sent',
          cause: reason,
        })
      : reason;
    this.#check();
  }

  /** The data of the `endpoint` event. */
  endpoint(): Promise<string> {
    return this.#until(() => this.#endpoint);
  }

  /** The data of the latest `tools` event. */
  tools(): Promise<string> {
    return this.#until(() => this.#tools);
  }

  /**
   * POSTs `initialize` and waits until it is clear which transport the server speaks.
   *
   * @throws LongwireError if it was refused, or the stream ended.
   */
  async initialize(options: InitializeOptions): Promise<IntroductionOutcome> {
    const { initialize } = options;
    const evidence: Evidence = {
      transport: options.transport,
      answered: false,
      sawTools: false,
      refusal: 'none',
      graceOver: false,
    };
    let answer: JSONRPCResponse | undefined;
    let failure: LongwireError | undefined;
    let firstFailure: LongwireError | undefined;
    let timer: NodeJS.Timeout | undefined;
    const takeAnswer = ({ message, error, answerTo }: ReadMessage, text?: string): boolean => {
      if (message === undefined) {
        if (answerTo !== initialize.id) return false;
        failure ??= error;
        return true;
      }
      if (!isAnswer(message) || message.id !== initialize.id) return false;
      // A second answer belongs to nobody.
      if (answer !== undefined) return true;
      options.http.counts.received(message, text);
      answer = message;
      evidence.answered = true;
      return true;
    };
    this.#read = (event) => {
      const others: ReadMessage[] = [];
      let isTaken = false;
      const take = (read: ReadMessage, text?: string): void => {
        if (takeAnswer(read, text)) isTaken = true;
        else others.push(read);
      };
      readMessages(event.data, take, { bounds: options.http.jsonBounds });
      if (isTaken) {
        // A batch may hold more than the answer.
        const rest = others.flatMap(({ message }) => message ?? []);
        if (rest.length > 0) this.#keep({ ...event, data: JSON.stringify(rest), id: undefined });
        return true;
      }
      const isForeign = event.type === 'result' || event.type === 'error';
      if (isForeign) evidence.refusal = 'foreign';
      return isForeign;
    };
    let { endpoint } = options;
    let { fallback } = options;
    let isOver = false;
    const send = (): Post => this.#post({ ...options, endpoint }, { onSent, onError });
    const onSent = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        evidence.graceOver = true;
        this.#check();
      }, GRACE_MS);
    };
    const onError = (error: LongwireError): void => {
      if (isOver) return;
      if (fallback !== undefined && isNothingThere(error)) {
        endpoint = fallback;
        fallback = undefined;
        firstFailure = error;
        post = send();
        return;
      }
      // The error of the endpoint that the server named says more than that of a guess.
      failure = firstFailure !== undefined && isNothingThere(error) ? firstFailure : error;
      evidence.refusal = 'refused';
      this.#check();
    };
    let post = send();
    try {
      const decision = await this.#until(() => {
        if (failure !== undefined && isFinal(failure)) return 'refused' as const;
        evidence.sawTools = this.#tools !== undefined;
        return decide(evidence);
      });
      if (decision === 'refused') throw failure as LongwireError;
      if (decision === 'sse') {
        post.requestAnswered();
        return { transport: decision, answer: answer as JSONRPCResponse, endpoint };
      }
      // The body of the response may never end.
      post.cancel();
      return { transport: decision };
    } finally {
      isOver = true;
      clearTimeout(timer);
      this.#read = () => false;
    }
  }

  /** Delivers the kept events to the stream's new listener. */
  release(stream: EventStream): void {
    for (const event of this.#kept.splice(0)) stream.listener.onEvent(event);
    if (this.#ended !== undefined) stream.listener.onEnd(this.#ended);
  }

  #post(
    { http, endpoint, transport, initialize, maxEventBytes }: InitializeOptions,
    on: { onSent: () => void; onError: (error: LongwireError) => void },
  ): Post {
    const decoder = new EventDecoder({ maxEventBytes, onEvent: (event) => this.#readBody(event) });
    // A tool-events server may answer in the body; in HTTP+SSE the body means nothing.
    const onData = (chunk: Buffer): void => decoder.push(chunk);
    const post = new Post({ message: initialize, endpoint, transport, onData, ...on });
    post.send(http);
    return post;
  }

  #readBody(event: StreamEvent): void {
    this.#read(event);
    this.#check();
  }

  /** What `find` returns, now or after a later event. */
  #until<T>(find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#check = () => {
        const found = find();
        if (found !== undefined) resolve(found);
        else if (this.#ended !== undefined) reject(this.#ended);
        else return;
        this.#check = () => {};
      };
      this.#check();
    });
  }
}

/** Only an HTTP error says something about the transport, and wrong credentials are wrong for both. */
function isFinal(error: LongwireError): boolean {
  return !(error instanceof HttpStatusError) || error.status === 401 || error.status === 403;
}

/** Nothing is at that endpoint, so that nothing ran there. */
function isNothingThere(error: LongwireError): boolean {
  return error instanceof HttpStatusError && (error.status === 404 || error.status === 405);
}
