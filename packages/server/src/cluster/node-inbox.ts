import type { FastifyBaseLogger } from 'fastify';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoggedEvent } from '../events/event-log.js';
import { isRequest } from '../http/messages.js';
import { inBackground } from '../operate/log.js';
import { MOVED, NO_SERVER, type Refusal } from '../refusal.js';
import type { Sessions } from '../sessions/sessions.js';
import { isClusterAway, type NodeMessage } from './cluster.js';
import type { JoinedCluster } from './joined-cluster.js';
import type { LocalSession } from './local-session.js';
import {
  clientRequestOf,
  MESSAGES_VERSION,
  principalOf,
  type Answering,
  type AskingMessage,
} from './node-messages.js';
import { RemoteSink, type RemoteSinkHost, type RemoteSinkOptions } from './remote-sink.js';
import type { Posted, PostOutcome } from './session-handle.js';

/** A node that waits for an answer is told so late that its request runs, in milliseconds. */
const TELL_AFTER_MS = 25;

/** How long an answer to another node waits for the store, and how often it is tried. */
const ANSWER_MS = 30_000;
const AGAIN_MS = 250;

/** So many POSTs without an answer of their own are remembered, so that none counts twice. */
const MAX_ACCEPTED = 1_000;

/** What serves other nodes is made with. */
export interface NodeInboxOptions {
  readonly cluster: JoinedCluster;
  readonly sessions: Sessions;
  readonly log: FastifyBaseLogger;
  /** The handle of a session of this node. */
  of(session: NonNullable<ReturnType<Sessions['find']>>): LocalSession;
}

type Asked<Kind extends AskingMessage['kind']> = Extract<AskingMessage, { kind: Kind }>;

/** Serves sessions of this node to the clients of other nodes, as their messages ask for it. */
export class NodeInbox implements RemoteSinkHost {
  readonly #options: NodeInboxOptions;
  /**
   * What other nodes read, by node and name; while it is not known whether it runs, whether it was asked
   * for once or more often.
   */
  readonly #readers = new Map<string, RemoteSink | 'asked' | 'asked-again'>();
  /** By session and stream: whose reader the log publishes to. */
  readonly #current = new Map<string, RemoteSink>();
  /** POSTs that were accepted, and have no answer of their own. */
  readonly #accepted = new Set<string>();
  /** What cancels calls of the tool-events transport. */
  readonly #calls = new Map<string, AbortController>();
  /** Those whose nodes wait to be told that they run. */
  #untold: RemoteSink[] = [];

  constructor(options: NodeInboxOptions) {
    this.#options = options;
  }

  received(message: AskingMessage, from: string): void {
    const key = `${from} ${message.uid}`;
    switch (message.kind) {
      case 'post':
        if (typeof this.#readers.get(key) === 'string') {
          this.#readers.set(key, 'asked-again');
          return;
        }
        this.#replace(key);
        this.#serve(message, from, this.#post(message, from, key));
        return;
      case 'attach':
        this.#replace(key);
        this.#serve(message, from, this.#attach(message, from));
        return;
      case 'tool-call':
        this.#serve(message, from, this.#callTool(message, from, key));
        return;
      case 'tool-list':
        this.#serve(message, from, this.#listTools(message, from));
        return;
      case 'detach': {
        const sink = this.#readers.get(key);
        if (sink instanceof RemoteSink) this.#detach(sink);
        this.#calls.get(key)?.abort();
        return;
      }
      case 'end':
        this.#serve(message, from, this.#end(message, from));
    }
  }

  /** A node is gone, and what it has read is read no more. If it is back by now, it asks again. */
  gone(node: string): void {
    for (const sink of this.#readers.values()) {
      if (!(sink instanceof RemoteSink) || sink.options.reader.node !== node) continue;
      sink.cut();
      this.#detach(sink);
    }
    for (const [key, call] of this.#calls) if (key.startsWith(`${node} `)) call.abort();
  }

  wasPublished(event: LoggedEvent): boolean {
    return this.#options.cluster.node.wasPublished(event);
  }

  tell({ options: { reader, session } }: RemoteSink, answer: Answering): void {
    this.answer({ session: session.id, uid: reader.reader }, reader.node, answer);
  }

  ended(sink: RemoteSink): void {
    const { session, stream, reader } = sink.options;
    const key = `${reader.node} ${reader.reader}`;
    if (this.#readers.get(key) === sink) this.#readers.delete(key);
    const place = `${session.id} ${stream}`;
    if (this.#current.get(place) !== sink) return;
    this.#current.delete(place);
    this.#options.cluster.node.readAt(session.id, stream);
  }

  /** Answers a message; while the store is away, the answer waits. */
  answer(
    { session, uid }: Pick<AskingMessage, 'session' | 'uid'>,
    to: string,
    answer: Answering,
  ): void {
    const message = { ...answer, v: MESSAGES_VERSION, session, uid };
    inBackground(this.#options.log, 'another node could not be answered', () =>
      this.#send(to, message),
    );
  }

  async #send(to: string, message: NodeMessage): Promise<void> {
    const endsAt = performance.now() + ANSWER_MS;
    for (;;) {
      try {
        await this.#options.cluster.send(to, message);
        return;
      } catch (error) {
        if (!isClusterAway(error) || performance.now() > endsAt) throw error;
      }
      await sleep(AGAIN_MS, undefined, { ref: false });
    }
  }

  /** What fails is answered, too, whatever it was: its node waits for that. */
  #serve(message: AskingMessage, from: string, serving: Promise<void>): void {
    serving.catch((error: unknown) => {
      this.#options.log.error(error, 'a request of another node failed');
      this.answer(message, from, answerOf({ refusal: NO_SERVER }));
    });
  }

  async #post(message: Asked<'post'>, from: string, key: string): Promise<void> {
    const session = this.#sessionOf(message, message.principal.id);
    if (session === undefined) return this.answer(message, from, { kind: 'moved' });
    if (this.#accepted.has(key)) return this.answer(message, from, { kind: 'accepted' });
    this.#readers.set(key, 'asked');
    let outcome: PostOutcome;
    try {
      outcome = await session.post(this.#postedOf(session, message, from));
    } catch (error) {
      this.#options.log.error(error, 'a request of another node failed');
      outcome = { refusal: NO_SERVER };
    }
    if (typeof this.#readers.get(key) === 'string') this.#readers.delete(key);
    if (outcome === 'answered') return;
    if (outcome === 'accepted') this.#remember(key);
    this.answer(message, from, answerOf(outcome));
  }

  #remember(key: string): void {
    this.#accepted.add(key);
    if (this.#accepted.size <= MAX_ACCEPTED) return;
    for (const oldest of this.#accepted) {
      this.#accepted.delete(oldest);
      return;
    }
  }

  #postedOf(session: LocalSession, message: Asked<'post'>, from: string): Posted {
    const { uid, request, messages, digests, isBatch, isAnswered, canReturn } = message;
    const requests = messages.filter((one) => isRequest(one));
    const answer = (stream: number, hasMany: boolean): RemoteSink => {
      const isAgain = this.#readers.get(`${from} ${uid}`) === 'asked-again';
      const isOwn = hasMany === isBatch && message.again === undefined && !isAgain;
      const sink = this.#sinkOf({
        session,
        stream,
        seq: 0,
        isBatch: hasMany,
        reader: { node: from, reader: uid },
        ...(isOwn && { answers: requests.length }),
      });
      if (isOwn) this.#tellLater(sink);
      else this.tell(sink, { kind: 'taken', stream, isBatch: hasMany });
      // Its node waits to be told what its client missed.
      if (isAgain) sink.catchUp([]);
      return sink;
    };
    return {
      request: clientRequestOf(request, this.#options.log),
      principal: principalOf(message.principal),
      messages,
      isBatch,
      digestOf: (one) => digests[requests.indexOf(one)] ?? '',
      canReturn,
      from,
      ...(isAnswered && { answer }),
      ...(message.again !== undefined && { again: message.again }),
    };
  }

  async #attach(message: Asked<'attach'>, from: string): Promise<void> {
    const { uid, stream, after, unless, principal } = message;
    const session = this.#sessionOf(message, principal);
    if (session === undefined) return this.answer(message, from, { kind: 'moved' });
    try {
      const isOpen = await session.listen({
        stream,
        after,
        unless,
        open: (seq) =>
          this.#sinkOf({
            session,
            stream,
            seq,
            isBatch: true,
            reader: { node: from, reader: uid },
          }),
      });
      if (!isOpen) this.answer(message, from, { kind: 'over' });
    } catch (error) {
      this.#options.log.error(error, 'what a client missed could not be read');
      this.answer(message, from, { kind: 'close', after: 0 });
    }
  }

  async #callTool(message: Asked<'tool-call'>, from: string, key: string): Promise<void> {
    const { principal, request, tool, args } = message;
    const session = this.#sessionOf(message, principal.id);
    if (session === undefined) return this.answer(message, from, { kind: 'moved' });
    const ending = new AbortController();
    this.#calls.set(key, ending);
    let answer: string | Refusal;
    try {
      answer = await session.callTool({
        tool,
        args,
        principal: principalOf(principal),
        request: clientRequestOf(request, this.#options.log),
        begun: () => {
          this.answer(message, from, { kind: 'tool-begun' });
          return ending.signal;
        },
      });
    } catch (error) {
      this.#options.log.error(error, 'a request of another node failed');
      answer = NO_SERVER;
    }
    this.#calls.delete(key);
    if (typeof answer === 'string')
      this.answer(message, from, { kind: 'tool-answer', text: answer });
    else this.answer(message, from, answerOf({ refusal: answer }));
  }

  async #listTools(message: Asked<'tool-list'>, from: string): Promise<void> {
    const session = this.#sessionOf(message, message.principal);
    if (session === undefined) return this.answer(message, from, { kind: 'moved' });
    this.answer(message, from, { kind: 'tool-answer', text: await session.listTools() });
  }

  async #end(message: Asked<'end'>, from: string): Promise<void> {
    const session = this.#sessionOf(message, message.principal);
    if (session === undefined) return this.answer(message, from, { kind: 'moved' });
    await session.end();
    this.answer(message, from, { kind: 'accepted' });
  }

  #sessionOf({ session: id }: AskingMessage, principal: string): LocalSession | undefined {
    const session = this.#options.sessions.find(id, { id: principal });
    return session && this.#options.of(session);
  }

  /** A reader that asks again has no other one. */
  #replace(key: string): void {
    const sink = this.#readers.get(key);
    if (sink instanceof RemoteSink) this.#detach(sink);
  }

  #detach(sink: RemoteSink): void {
    const { session, stream } = sink.options;
    sink.drop();
    session.detach(stream, sink);
  }

  #sinkOf(options: RemoteSinkOptions): RemoteSink {
    const sink = new RemoteSink(options, this);
    const { session, stream, reader } = options;
    // What was asked for twice has one reader.
    this.#replace(`${reader.node} ${reader.reader}`);
    this.#readers.set(`${reader.node} ${reader.reader}`, sink);
    this.#current.set(`${session.id} ${stream}`, sink);
    this.#options.cluster.node.readAt(session.id, stream, reader);
    return sink;
  }

  /** Tells a node that its request runs, unless it learns that from an answer first. */
  #tellLater(sink: RemoteSink): void {
    this.#untold.push(sink);
    if (this.#untold.length > 1) return;
    setTimeout(() => {
      const untold = this.#untold;
      this.#untold = [];
      for (const one of untold) {
        if (one.isTold) continue;
        const { stream, isBatch } = one.options;
        this.tell(one, { kind: 'taken', stream, isBatch });
      }
    }, TELL_AFTER_MS);
  }
}

function answerOf(outcome: Exclude<PostOutcome, 'answered'>): Answering {
  if (outcome === 'accepted') return { kind: 'accepted' };
  const { refusal, id } = outcome;
  return refusal === MOVED ? { kind: 'moved' } : { kind: 'refused', refusal, id };
}
