import type {
  JSONRPCMessage,
  JSONRPCRequest,
  JSONRPCResponse,
  RequestId,
} from '@modelcontextprotocol/client';
import type { Channel, Resumption } from '../../../src/channels/channel.ts';
import {
  ConnectError,
  ConnectionLostError,
  HttpStatusError,
  LongwireError,
  type ErrorCode,
} from '../../../src/errors.ts';
import type { DialOptions } from '../../../src/dial/dial.ts';
import type { Connected } from '../../../src/dial/handshake.ts';

/** A session of the server; it may outlive the channel on which it started. */
export interface ServerSession {
  number: number;
  /** Requests that came on it, in order. */
  seen: JSONRPCRequest[];
  /** Requests of the server without an answer. */
  asked: Set<RequestId>;
  askedIds: number;
}

/** What happened to one request at the server, each time that it left. */
export interface Departure {
  request: JSONRPCRequest;
  session: ServerSession;
  refused: boolean;
}

/** One POST of a request that is not answered yet. */
export interface Post {
  request: JSONRPCRequest;
  isOnWire: boolean;
  departure: Departure | undefined;
  leave: () => void;
  accept: () => void;
  fail: (error: LongwireError) => void;
}

const lost = (certainty: 'not-sent' | 'refused' | 'outcome-unknown') =>
  new ConnectionLostError('the connection is gone', { certainty });

const aborted = () => new LongwireError('aborted', { code: 'aborted', certainty: 'not-sent' });

/** What a channel leaves whose session may be resumed. */
export class LastSession implements Resumption {
  readonly transport = 'sse';
  readonly session: ServerSession;

  constructor(session: ServerSession) {
    this.session = session;
  }
}

/** A channel to the scripted server. */
export class ScriptedChannel implements Channel {
  readonly transport = 'sse';
  readonly era = 'legacy';
  readonly address = 'http://scripted.test/';
  readonly askedDelayMs = undefined;
  lastActivityAt: number = performance.now();
  resumption: Resumption | undefined;
  readonly session: ServerSession;
  readonly posts: Post[] = [];
  /** Every message that was sent on it and is no request. */
  readonly sent: JSONRPCMessage[] = [];
  /** It ended by itself, or was closed. */
  isOver = false;
  isClosed = false;
  /** The requests whose answers are awaited although its session is lost. */
  drained: ReadonlySet<RequestId> = new Set();
  #drains = false;
  #onBroken: (reason: LongwireError) => void = () => {};
  readonly #server: ScriptedServer;
  readonly #handlers: DialOptions['handlers'];

  constructor(server: ScriptedServer, session: ServerSession, handlers: DialOptions['handlers']) {
    this.#server = server;
    this.session = session;
    this.#handlers = handlers;
  }

  send(message: JSONRPCMessage, onWire?: () => void): Promise<void> {
    const isRequest = 'method' in message && 'id' in message;
    if (this.isOver && (isRequest || !this.isDraining)) return Promise.reject(lost('not-sent'));
    if (!('method' in message)) this.#server.answered(this.session, message);
    else if (message.method === 'notifications/cancelled') this.#withdraw(message.params);
    if (!('method' in message) || !('id' in message)) {
      this.sent.push(message);
      return Promise.resolve();
    }
    this.#server.given(this, message);
    return new Promise((resolve, reject) => {
      const post: Post = {
        request: message,
        isOnWire: false,
        departure: undefined,
        leave: () => {
          if (post.isOnWire) return;
          post.isOnWire = true;
          post.departure = this.#server.took(this.session, message);
          onWire?.();
        },
        accept: () => {
          post.leave();
          this.posts.splice(this.posts.indexOf(post), 1);
          resolve();
        },
        fail: (error) => {
          if (error.certainty !== 'not-sent') post.leave();
          if (error.certainty === 'refused' && post.departure) post.departure.refused = true;
          this.posts.splice(this.posts.indexOf(post), 1);
          reject(error);
        },
      };
      this.posts.push(post);
    });
  }

  get isDraining(): boolean {
    return this.drained.size > 0 && !this.isClosed;
  }

  drain(
    requests: ReadonlySet<RequestId>,
    onBroken: (reason: LongwireError) => void,
  ): readonly RequestId[] {
    if (!this.#drains) return [];
    this.drained = requests;
    this.#onBroken = onBroken;
    return [...requests];
  }

  /** What was left open for answers ends. */
  break(): void {
    if (this.isDraining) this.#onBroken(lost('outcome-unknown'));
  }

  close(): Promise<void> {
    this.isOver = this.isClosed = true;
    for (const post of this.posts.slice()) {
      post.fail(lost(post.isOnWire ? 'outcome-unknown' : 'not-sent'));
    }
    return Promise.resolve();
  }

  /** The server makes a request; every session counts from 1. */
  ask(): void {
    const id = ++this.session.askedIds;
    this.session.asked.add(id);
    this.say({ jsonrpc: '2.0', id, method: 'roots/list' });
  }

  /** The server sends something unreadable that was meant as an answer. */
  garble(error: LongwireError, answerTo: RequestId): void {
    if (!this.isOver || this.isDraining) this.#handlers.onError(error, answerTo);
  }

  /** The server sends a message. */
  say(message: JSONRPCMessage): void {
    if (this.isOver && !this.isDraining) return;
    this.lastActivityAt = performance.now();
    this.#handlers.onMessage(message);
  }

  /** Requests that have not left are never sent. */
  #withdraw(params: Record<string, unknown> | undefined): void {
    const post = this.posts.find(({ request }) => request.id === params?.['requestId']);
    if (post?.isOnWire === false) post.fail(aborted());
  }

  /** The channel ends by itself; requests that have not left are never sent. */
  end(reason: LongwireError, isResumable: boolean, drains = false): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#drains = drains;
    for (const post of this.posts.slice()) if (!post.isOnWire) post.fail(lost('not-sent'));
    if (isResumable) this.resumption = new LastSession(this.session);
    this.#handlers.onEnd(reason);
  }
}

/** One dial that is pending. */
interface Dialling {
  options: DialOptions;
  resolve: (handshake: Connected) => void;
  reject: (error: LongwireError) => void;
}

/** A server that does what a test says, behind a `dial` that does so, too. */
export class ScriptedServer {
  readonly dialledAt: number[] = [];
  readonly dialling = new Set<Dialling>();
  readonly channels: ScriptedChannel[] = [];
  readonly departures: Departure[] = [];
  /** Ids of all requests that a channel was given. */
  readonly sends: { channel: ScriptedChannel; request: JSONRPCRequest }[] = [];
  readonly handshakeIds: RequestId[] = [];
  /** Answers that reached a session which had not made the request. */
  readonly strayAnswers: JSONRPCMessage[] = [];
  onDial: () => void = () => {};
  onGiven: (channel: ScriptedChannel, request: JSONRPCRequest) => void = () => {};
  #sessions = 0;

  dial = (options: DialOptions): Promise<Connected> => {
    this.dialledAt.push(performance.now());
    this.onDial();
    return new Promise((resolve, reject) => {
      const dialling: Dialling = {
        options,
        resolve: (handshake) => {
          this.dialling.delete(dialling);
          resolve(handshake);
        },
        reject: (error) => {
          this.dialling.delete(dialling);
          reject(error);
        },
      };
      this.dialling.add(dialling);
      options.signal.addEventListener('abort', () => dialling.reject(options.signal.reason));
    });
  };

  /** The channel of the latest dial, if it is still open. */
  get channel(): ScriptedChannel | undefined {
    const last = this.channels.at(-1);
    return last?.isOver === false ? last : undefined;
  }

  /** The channels of lost sessions whose answers are awaited. */
  get draining(): ScriptedChannel[] {
    return this.channels.filter(({ isDraining }) => isDraining);
  }

  /** Lets the pending dial succeed; the session before is resumed, if possible and wanted. */
  accept(goesOn: boolean, early?: (channel: ScriptedChannel) => void): void {
    const [dialling] = this.dialling;
    if (dialling === undefined) return;
    const { resumption, firstRequests, handlers } = dialling.options;
    const { initialize } = firstRequests;
    const before = goesOn && resumption instanceof LastSession ? resumption.session : undefined;
    const number = (this.#sessions += before === undefined ? 1 : 0);
    const session = before ?? { number, seen: [], asked: new Set(), askedIds: 0 };
    const channel = new ScriptedChannel(this, session, handlers);
    this.channels.push(channel);
    if (before === undefined) this.handshakeIds.push(initialize.id);
    const serverInfo = { name: 'scripted', version: '1' };
    const result = { protocolVersion: '2024-11-05', capabilities: {}, serverInfo };
    const answer: JSONRPCResponse = { jsonrpc: '2.0', id: initialize.id, result };
    if (before !== undefined) dialling.options.onResumed();
    early?.(channel);
    dialling.resolve({ channel, answer: before === undefined ? answer : undefined });
  }

  refuse(code: ErrorCode, retryAfterMs?: number): void {
    const [dialling] = this.dialling;
    const cause =
      retryAfterMs === undefined
        ? undefined
        : new HttpStatusError('503', {
            status: 503,
            excerpt: '',
            certainty: 'refused',
            retryAfterMs,
          });
    dialling?.reject(new ConnectError(`refused: ${code}`, { code, cause, tried: [] }));
  }

  given(channel: ScriptedChannel, request: JSONRPCRequest): void {
    this.sends.push({ channel, request });
    this.onGiven(channel, request);
  }

  took(session: ServerSession, request: JSONRPCRequest): Departure {
    const departure = { request, session, refused: false };
    session.seen.push(request);
    this.departures.push(departure);
    return departure;
  }

  answered(session: ServerSession, answer: JSONRPCResponse): void {
    if (!session.asked.delete(answer.id as RequestId)) this.strayAnswers.push(answer);
  }
}
