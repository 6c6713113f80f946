import type { Buffer } from 'node:buffer';
import type { JSONRPCRequest, JSONRPCResponse } from '@modelcontextprotocol/client';
import type { Dialect } from '../channels/channel.js';
import { EventCursor } from '../channels/event-cursor.js';
import { EventDecoder, type StreamEvent } from '../channels/event-decoder.js';
import { checkKept, type EventStream, type EventStreamListener } from '../channels/event-stream.js';
import type { Http } from '../channels/http.js';
import { isAnswer, readMessages, type ReadMessage } from '../channels/message.js';
import { Posting } from '../channels/posting.js';
import { postOf } from '../channels/sse.js';
import { HttpStatusError, LongwireError } from '../errors.js';
import { judge, type Signs } from './judge.js';

/** What an event takes that is kept, beside what it says. */
const KEPT_EVENT_SIZE = 64;
/** How long tool-events and HTTP+SSE are given to tell themselves apart. */
const GRACE_MS = 1000;

/** What `initialize` met. */
export type Introduction =
  /** `endpoint` is the one that took it. */
  | { finding: 'sse'; answer: JSONRPCResponse; endpoint: URL }
  | { finding: 'tool-events' | 'tool-events-unanswered' };

/** What an introduction needs. */
export interface IntroductionOptions {
  http: Http;
  endpoint: URL;
  /** Where else to ask if nothing is there. Default: nowhere. */
  otherwise?: URL | undefined;
  dialect: Dialect | undefined;
  initialize: JSONRPCRequest;
  maxEventBytes: number;
}

/**
 * The beginning of a stream, until a channel takes it over. What nobody has read by then is kept
 * for the channel.
 */
export class Opening implements EventStreamListener {
  /** Where the events of a new session stand. */
  readonly cursor: EventCursor = new EventCursor();
  readonly #maxEventBytes: number;
  readonly #kept: StreamEvent[] = [];
  #keptSize = 0;
  #endpoint: string | undefined;
  #tools: string | undefined;
  #ended: LongwireError | undefined;
  /** Looks whether what is waited for has come. */
  #look: () => void = () => {};
  /** Takes an event before it is kept; true if that was all it was for. */
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
    // Of what is kept, whoever takes it over counts the ids.
    if (event.id !== undefined) this.cursor.take(event.id);
    this.#look();
  }

  #keep(event: StreamEvent): void {
    const { type, data, id = '' } = event;
    this.#keptSize += type.length + data.length + id.length + KEPT_EVENT_SIZE;
    checkKept(this.#keptSize, this.#maxEventBytes);
    this.#kept.push(event);
    this.#look();
  }

  onEnd(reason: LongwireError): void {
    // A stream that ends before it has said where to POST is none of ours.
    const isNone = this.#endpoint === undefined && reason.code === 'connection-lost';
    this.#ended ??= isNone
      ? new LongwireError(`${reason.message}, before its endpoint event`, {
          code: 'not-mcp',
          certainty: 'not-sent',
          cause: reason,
        })
      : reason;
    this.#look();
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
   * POSTs `initialize` and waits for what tells the dialects apart.
   *
   * @throws LongwireError if it was refused, or the stream ended.
   */
  async introduce(options: IntroductionOptions): Promise<Introduction> {
    const { initialize } = options;
    const signs: Signs = {
      dialect: options.dialect,
      answered: false,
      sawTools: false,
      objection: 'none',
      graceOver: false,
    };
    let answer: JSONRPCResponse | undefined;
    let refusal: LongwireError | undefined;
    let firstRefusal: LongwireError | undefined;
    let timer: NodeJS.Timeout | undefined;
    const takeAnswer = ({ message, error, answerTo }: ReadMessage): boolean => {
      if (message === undefined) {
        if (answerTo !== initialize.id) return false;
        refusal ??= error;
        return true;
      }
      if (!isAnswer(message) || message.id !== initialize.id) return false;
      // Answered twice: the second one is nobody's.
      if (answer !== undefined) return true;
      options.http.counts.received();
      answer = message;
      signs.answered = true;
      return true;
    };
    this.#read = (event) => {
      const others: ReadMessage[] = [];
      let isTaken = false;
      const take = (read: ReadMessage): void => {
        if (takeAnswer(read)) isTaken = true;
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
      if (isForeign) signs.objection = 'foreign';
      return isForeign;
    };
    let { endpoint } = options;
    let elsewhere = options.otherwise;
    let isOver = false;
    const post = (): Posting => this.#post({ ...options, endpoint }, { onWire, onRefused });
    const onWire = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        signs.graceOver = true;
        this.#look();
      }, GRACE_MS);
    };
    const onRefused = (error: LongwireError): void => {
      if (isOver) return;
      if (elsewhere !== undefined && isNothingThere(error)) {
        endpoint = elsewhere;
        elsewhere = undefined;
        firstRefusal = error;
        posting = post();
        return;
      }
      // What the place said that the server named says more than what a guess met.
      refusal = firstRefusal !== undefined && isNothingThere(error) ? firstRefusal : error;
      signs.objection = 'refused';
      this.#look();
    };
    let posting = post();
    try {
      const finding = await this.#until(() => {
        if (refusal !== undefined && isFinal(refusal)) return 'refused' as const;
        signs.sawTools = this.#tools !== undefined;
        return judge(signs);
      });
      if (finding === 'refused') throw refusal as LongwireError;
      if (finding === 'sse') {
        posting.requestAnswered();
        return { finding, answer: answer as JSONRPCResponse, endpoint };
      }
      // The body of the answer may never end.
      posting.giveUp();
      return { finding };
    } finally {
      isOver = true;
      clearTimeout(timer);
      this.#read = () => false;
    }
  }

  /** Hands the stream's new listener what was kept. */
  handOver(stream: EventStream): void {
    for (const event of this.#kept.splice(0)) stream.listener.onEvent(event);
    if (this.#ended !== undefined) stream.listener.onEnd(this.#ended);
  }

  #post(
    { http, endpoint, dialect, initialize, maxEventBytes }: IntroductionOptions,
    on: { onWire: () => void; onRefused: (error: LongwireError) => void },
  ): Posting {
    const decoder = new EventDecoder({ maxEventBytes, onEvent: (event) => this.#readBody(event) });
    // What a tool-events server answers in the body; of HTTP+SSE nothing is expected there.
    const sink = { onData: (chunk: Buffer) => decoder.push(chunk), onEnd: () => {} };
    const posting = new Posting({ started: on.onWire, answered: () => {}, failed: on.onRefused });
    posting.send(http, postOf(initialize, { endpoint, dialect, sink }));
    return posting;
  }

  #readBody(event: StreamEvent): void {
    this.#read(event);
    this.#look();
  }

  /** What `find` finds, now or after some later event. */
  #until<T>(find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#look = () => {
        const found = find();
        if (found !== undefined) resolve(found);
        else if (this.#ended !== undefined) reject(this.#ended);
        else return;
        this.#look = () => {};
      };
      this.#look();
    });
  }
}

/** Only a refusal says anything of the dialect, and wrong credentials are wrong for both. */
function isFinal(error: LongwireError): boolean {
  return !(error instanceof HttpStatusError) || error.status === 401 || error.status === 403;
}

/** Nothing is at that place, so that nothing ran there. */
function isNothingThere(error: LongwireError): boolean {
  return error instanceof HttpStatusError && (error.status === 404 || error.status === 405);
}
