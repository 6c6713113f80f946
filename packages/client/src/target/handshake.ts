import type { Buffer } from 'node:buffer';
import type { JSONRPCMessage, JSONRPCRequest, JSONRPCResponse } from '@modelcontextprotocol/client';
import type { Channel, ChannelHandlers, Dialect } from '../channels/channel.js';
import { endpointUrl } from '../channels/endpoint.js';
import { EventDecoder, type StreamEvent } from '../channels/event-decoder.js';
import { EventStream, type EventStreamListener } from '../channels/event-stream.js';
import type { Http, Sent } from '../channels/http.js';
import { postOf, SseChannel } from '../channels/sse.js';
import { ToolEventsChannel } from '../channels/tool-events.js';
import { HttpStatusError, LongwireError } from '../errors.js';

/** How long tool-events and HTTP+SSE are given to tell themselves apart. */
const GRACE_MS = 1000;

/** What a handshake with one URL needs. */
export interface HandshakeOptions {
  http: Http;
  url: URL;
  /** What is known of the server, if anything. */
  dialect: Dialect | undefined;
  /** The real first request; never sent to a server that is known to speak tool-events. */
  initialize: JSONRPCRequest;
  maxEventBytes: number;
  handlers: ChannelHandlers;
  /** Ends the handshake. Its reason is a LongwireError. */
  signal: AbortSignal;
}

/** A channel whose server has answered `initialize`. */
export interface Handshake {
  channel: Channel;
  answer: JSONRPCResponse;
}

/**
 * Opens the stream of a URL and finds out, by the real `initialize`, which dialect is spoken
 * there. An answer means HTTP+SSE, whatever else arrived on the stream. It is tool-events only if
 * a `tools` event came, and `initialize` was refused, answered with something else, or not
 * answered within a second.
 *
 * @throws LongwireError
 */
export async function shakeHands(options: HandshakeOptions): Promise<Handshake> {
  const opening = new Opening(options);
  const stream = await EventStream.open(options.http, { ...options, listener: opening });
  try {
    const endpoint = endpointUrl(await opening.endpoint, stream.url);
    if (options.dialect === 'tool-events')
      return await toolEvents(options, opening, stream, endpoint);

    const verdict = await opening.initialize(stream, endpoint);
    if (verdict.dialect === 'sse') return verdict;
    if (verdict.session === 'clean') return await toolEvents(options, opening, stream, endpoint);
  } catch (error) {
    stream.close();
    throw error;
  } finally {
    opening.done();
  }
  // `initialize` may still be answered on this stream, and that would look like a call's result.
  stream.close();
  return shakeHands({ ...options, dialect: 'tool-events' });
}

async function toolEvents(
  { http, initialize, maxEventBytes, handlers }: HandshakeOptions,
  opening: Opening,
  stream: EventStream,
  endpoint: URL,
): Promise<Handshake> {
  const tools = await opening.tools;
  let answer: JSONRPCMessage | undefined;
  const channel = new ToolEventsChannel({
    http,
    stream,
    endpoint,
    tools,
    maxEventBytes,
    handlers: {
      ...handlers,
      onMessage: (message) => {
        if (answer === undefined) answer = message;
        else handlers.onMessage(message);
      },
    },
  });
  await channel.send(initialize);
  return { channel, answer: answer as unknown as JSONRPCResponse };
}

type SseVerdict = Handshake & { dialect: 'sse' };
type ToolEventsVerdict = { dialect: 'tool-events'; session: 'clean' | 'spoilt' };

/** The first events of a stream, and what they say about who sends them. */
class Opening implements EventStreamListener {
  readonly endpoint: Promise<string>;
  readonly tools: Promise<string>;
  readonly #options: HandshakeOptions;
  #gotEndpoint!: (data: string) => void;
  #gotTools!: (data: string) => void;
  readonly #fail: ((reason: LongwireError) => void)[] = [];
  readonly #giveUp: () => void;

  #sawTools = false;
  /** What `initialize` met, if it was no answer: an error, or an event of the other dialect. */
  #objection: { error?: LongwireError } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #posted: Sent | undefined;
  #decideToolEvents: ((verdict: ToolEventsVerdict) => void) | undefined;

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.endpoint = this.#promise((resolve) => (this.#gotEndpoint = resolve));
    this.tools = this.#promise((resolve) => (this.#gotTools = resolve));
    this.#giveUp = () => this.onEnd(options.signal.reason as LongwireError);
    options.signal.addEventListener('abort', this.#giveUp, { once: true });
  }

  onEvent(event: StreamEvent): void {
    if (event.type === 'endpoint') this.#gotEndpoint(event.data);
    if (event.type === 'tools') {
      this.#sawTools = true;
      this.#gotTools(event.data);
      this.#consider();
    }
    if (event.type === 'result' || event.type === 'error') this.#object({});
  }

  onEnd(reason: LongwireError): void {
    for (const fail of this.#fail) fail(reason);
  }

  /** Sends `initialize` and waits for what tells the dialects apart. */
  async initialize(stream: EventStream, endpoint: URL): Promise<SseVerdict | ToolEventsVerdict> {
    const { http, initialize, handlers } = this.#options;
    const verdict = this.#promise<SseVerdict | ToolEventsVerdict>((resolve) => {
      this.#decideToolEvents = resolve;
      let shaking = true;
      const channel = new SseChannel({
        http,
        stream,
        endpoint,
        handlers: {
          onMessage: (message) => {
            if (shaking && isAnswerTo(initialize, message)) {
              shaking = false;
              resolve({ dialect: 'sse', channel, answer: message });
            } else {
              handlers.onMessage(message);
            }
          },
          onTrouble: (error) => handlers.onTrouble(error),
          onEnd: (reason) => (shaking ? this.onEnd(reason) : handlers.onEnd(reason)),
        },
        onForeignEvent: (event) => {
          if (shaking) this.onEvent(event);
        },
      });
    });
    const decoder = new EventDecoder({
      maxEventBytes: this.#options.maxEventBytes,
      onEvent: (event) => this.onEvent(event),
    });
    this.#posted = http.request(
      postOf(initialize, {
        endpoint,
        dialect: this.#options.dialect,
        // What a tool-events server answers in the body; of HTTP+SSE nothing is expected there.
        sink: { onData: (chunk: Buffer) => decoder.push(chunk), onEnd: () => {} },
      }),
    );
    this.#posted.answer.catch((error: LongwireError) => this.#object({ error }));
    this.#consider();
    return verdict;
  }

  /** The verdict is there, or will not come. */
  done(): void {
    clearTimeout(this.#timer);
    this.#options.signal.removeEventListener('abort', this.#giveUp);
  }

  #object(objection: { error?: LongwireError }): void {
    if (this.#decideToolEvents === undefined) return;
    this.#objection ??= objection;
    const { error } = objection;
    if (error !== undefined && (isFinal(error) || this.#options.dialect === 'sse')) {
      this.onEnd(error);
    } else {
      this.#consider();
    }
  }

  #consider(): void {
    if (this.#decideToolEvents === undefined || this.#options.dialect === 'sse') return;
    if (this.#sawTools && this.#objection !== undefined) {
      this.#conclude('clean');
    } else if (this.#sawTools || this.#objection?.error !== undefined) {
      this.#timer ??= setTimeout(() => {
        if (this.#sawTools) this.#conclude('spoilt');
        else if (this.#objection?.error !== undefined) this.onEnd(this.#objection.error);
      }, GRACE_MS);
    }
  }

  #conclude(session: ToolEventsVerdict['session']): void {
    // The body of the answer may never end.
    this.#posted?.abort();
    this.#decideToolEvents?.({ dialect: 'tool-events', session });
  }

  #promise<T>(take: (resolve: (value: T) => void) => void): Promise<T> {
    const promise = new Promise<T>((resolve, reject) => {
      take(resolve);
      this.#fail.push(reject);
    });
    promise.catch(() => {});
    return promise;
  }
}

/** Only a refusal says anything of the dialect, and wrong credentials are wrong for both. */
function isFinal(error: LongwireError): boolean {
  return !(error instanceof HttpStatusError) || error.status === 401 || error.status === 403;
}

function isAnswerTo(request: JSONRPCRequest, message: JSONRPCMessage): message is JSONRPCResponse {
  return !('method' in message) && 'id' in message && message.id === request.id;
}
