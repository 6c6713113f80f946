import type { FastifyBaseLogger } from 'fastify';
import type { Sink } from '../events/sink.js';
import type { MaybePromise } from '../principal.js';
import { CLUSTER_AWAY, type Refusal } from '../refusal.js';
import type { SessionRecord } from '../sessions/session-store.js';
import type { Asking, SentPost } from './node-messages.js';
import { RemoteEnd, RemoteToolCall, RemoteToolList } from './remote-calls.js';
import { RemoteListener } from './remote-listener.js';
import { RemotePost } from './remote-post.js';
import { RemoteReader, type AwaitedSession, type Waiting } from './remote-reader.js';
import type { EventCall, Listening, Posted, PostOutcome, SessionHandle } from './session-handle.js';

/** What sessions of other nodes need of this one. */
export interface RemoteSessionHost {
  readonly log: FastifyBaseLogger;
  /** Whether other nodes can be reached. */
  readonly isUp: boolean;
  /** A name for what waits, which nothing else of this node has. */
  nextUid(): string;
  /** Sends a message to the node that is known as its owner. */
  send(session: RemoteSession, uid: string, asking: Asking): void;
  /** Finds the session again, and asks its owner once more for all that waits. */
  look(session: RemoteSession): void;
  waits(waiting: Waiting): void;
  finished(waiting: Waiting): void;
}

/** Who met a session, and by which request. */
export type Met = Pick<SentPost, 'principal' | 'request'>;

/** A session of another node, for the clients that reach this one. */
export class RemoteSession implements SessionHandle, AwaitedSession {
  /** Empty where it is not known. */
  node: string;
  record: SessionRecord;
  /** Whose request met it last: it is taken over for that one. */
  met: Met;
  /** `performance.now()` when that was. */
  usedAt: number = performance.now();
  /** Whether its owner is looked for. */
  isSought = false;
  /** How often it was looked for since its owner has answered, and since when. */
  sought = { times: 0, since: 0 };
  /** What waits for it. */
  readonly waiting: Set<Waiting> = new Set();
  readonly #host: RemoteSessionHost;

  constructor(
    { node, record }: { readonly node: string; readonly record: SessionRecord },
    met: Met,
    host: RemoteSessionHost,
  ) {
    this.node = node;
    this.met = met;
    this.record = record;
    this.#host = host;
  }

  get id(): string {
    return this.record.id;
  }

  get transport(): SessionRecord['transport'] {
    return this.record.transport;
  }

  get protocolVersion(): string | undefined {
    const version: unknown = this.record.initialize?.params?.['protocolVersion'];
    return typeof version === 'string' ? version : undefined;
  }

  get log(): FastifyBaseLogger {
    return this.#host.log;
  }

  post(posted: Posted): MaybePromise<PostOutcome> {
    // What is sent nevertheless waits until the store is back: it may have run.
    if (!this.#host.isUp) return { refusal: CLUSTER_AWAY };
    const post = new RemotePost(this, posted);
    this.met = post.met;
    this.#ask(post);
    return post.outcome;
  }

  listen(listening: Listening): Promise<boolean> {
    const listener = new RemoteListener(this, listening);
    this.#ask(listener);
    return listener.isOpen;
  }

  detach(_stream: number, sink: Sink): void {
    for (const one of this.waiting) {
      if (one instanceof RemoteReader && one.serves(sink)) one.detach();
    }
  }

  end(): Promise<void> {
    return this.#result(new RemoteEnd(this));
  }

  async callTool(call: EventCall): Promise<string | Refusal> {
    return this.#host.isUp ? this.#result(new RemoteToolCall(this, call)) : CLUSTER_AWAY;
  }

  listTools(): Promise<string> {
    return this.#result(new RemoteToolList(this));
  }

  nextUid(): string {
    return this.#host.nextUid();
  }

  send({ uid }: Waiting, asking: Asking): void {
    this.#host.send(this, uid, asking);
  }

  look(): void {
    this.#host.look(this);
  }

  finished(waiting: Waiting): void {
    this.waiting.delete(waiting);
    this.#host.finished(waiting);
  }

  #result<Result>(request: Waiting & { readonly result: Promise<Result> }): Promise<Result> {
    this.#ask(request);
    return request.result;
  }

  #ask(waiting: Waiting): void {
    this.waiting.add(waiting);
    this.#host.waits(waiting);
    if (this.node === '') this.look();
    else waiting.ask();
  }
}
