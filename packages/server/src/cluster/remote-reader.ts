import type { FastifyBaseLogger } from 'fastify';
import type { LoggedEvent } from '../events/event-log.js';
import type { CatchUpSink, Sink } from '../events/sink.js';
import type { Refusal } from '../refusal.js';
import type { SessionRecord } from '../sessions/session-store.js';
import type { AnsweringMessage, Asking } from './node-messages.js';
import type { SessionHandle } from './session-handle.js';

/** A session of another node, as what waits for it needs it. */
export interface AwaitedSession {
  readonly id: string;
  /** Its owner; empty where that is not known. */
  readonly node: string;
  readonly record: SessionRecord;
  readonly log: FastifyBaseLogger;
  /** A name for what waits, which nothing else of this node has. */
  nextUid(): string;
  /** Sends a message to its owner. */
  send(waiting: Waiting, asking: Asking): void;
  /** Finds it again, and has all that waits ask its owner once more. */
  look(): void;
  finished(waiting: Waiting): void;
}

/** What waits for a session of another node. */
export interface Waiting {
  readonly uid: string;
  session: AwaitedSession;
  /** Asks the owner, for the first time or once more. */
  ask(): void;
  /** The session has come to this node. */
  arrive(session: SessionHandle): void;
  /** It is given up: there is no such session any more, or nobody can be asked. */
  fail(refusal: Refusal): void;
  answered(answer: AnsweringMessage): void;
}

/**
 * A client's response as the reader of a stream whose session may move from node to node. It gets each
 * message of the stream once and in order, whoever sends it.
 */
export abstract class RemoteReader implements Waiting, CatchUpSink {
  readonly uid: string;
  session: AwaitedSession;
  /** What its client reads. */
  protected sink: Sink | undefined;
  /** The place of the last message that its client has, or does not need. */
  protected lastSeq = 0;
  protected isDone = false;
  /** What came before it is known what its client missed. */
  #held: LoggedEvent[] | undefined;
  /** It ends once its client has the message at this place. */
  #end: { readonly after: number; readonly how: 'complete' | 'close' } | undefined;
  /** Where its session is, if that is here. */
  #home: SessionHandle | undefined;

  constructor(session: AwaitedSession) {
    this.session = session;
    this.uid = session.nextUid();
  }

  protected abstract askOwner(): void;
  protected abstract comeHome(session: SessionHandle): Promise<void>;
  protected abstract giveUp(refusal: Refusal): void;
  /** The number of its stream; `undefined` while it is not known. */
  protected abstract get stream(): number | undefined;

  /** Whether its client reads this. */
  serves(sink: Sink): boolean {
    return this.sink === sink;
  }

  /** Whether its session is here. */
  get isHome(): boolean {
    return this.#home !== undefined;
  }

  ask(): void {
    this.#home = undefined;
    this.askOwner();
  }

  arrive(session: SessionHandle): void {
    // Something else looked for the session.
    if (this.isHome) return;
    this.#home = session;
    this.hold();
    this.comeHome(session).catch((error: unknown) => {
      this.session.log.error(error, 'a client could not go on with a session that has moved here');
      this.close();
    });
  }

  fail(refusal: Refusal): void {
    if (this.isDone) return;
    this.finish();
    this.giveUp(refusal);
  }

  /** Its client is gone. */
  detach(): void {
    if (this.isDone) return;
    const { stream } = this;
    if (this.#home === undefined) this.session.send(this, { kind: 'detach' });
    else if (stream !== undefined) this.#home.detach(stream, this);
    this.finish();
  }

  answered(answer: AnsweringMessage): void {
    switch (answer.kind) {
      case 'moved':
        this.session.look();
        return;
      case 'caught-up':
        this.catchUp(answer.events, answer.seq);
        return;
      case 'event':
        if (answer.isAgain) void this.pass(answer.event);
        else void this.send(answer.event);
        return;
      case 'complete':
      case 'close':
        this.#endAfter(answer.after, answer.kind);
        return;
      default:
    }
  }

  send(event: LoggedEvent, isAgain: boolean = false): Promise<void> | undefined {
    if (this.isDone) return undefined;
    if (isAgain) return this.pass(event);
    if (this.#held !== undefined) {
      this.#held.push(event);
      return undefined;
    }
    if (event.seq <= this.lastSeq) return undefined;
    this.lastSeq = event.seq;
    const keepsUp = this.pass(event);
    this.#endIfDue();
    return keepsUp;
  }

  catchUp(missed: readonly LoggedEvent[], upTo: number): void {
    if (this.isDone) return;
    const events = new Map([...missed, ...(this.#held ?? [])].map((event) => [event.seq, event]));
    this.#held = undefined;
    for (const event of [...events.values()].sort((a, b) => a.seq - b.seq)) void this.send(event);
    this.lastSeq = Math.max(this.lastSeq, upTo);
    this.#endIfDue();
  }

  complete(): void {
    this.#endAfter(0, 'complete');
  }

  close(): void {
    this.#endAfter(0, 'close');
  }

  /** The session leaves this node, or its owner has left it: whoever has it now is asked. */
  cut(): void {
    this.#home = undefined;
    this.session.look();
  }

  takesWhole(event: LoggedEvent): boolean {
    return this.#held === undefined && this.sink?.takesWhole?.(event) === true;
  }

  /** Holds back what comes, until it is told what its client missed. */
  protected hold(): void {
    this.#held ??= [];
  }

  protected pass(event: LoggedEvent): Promise<void> | undefined {
    return this.sink?.send(event);
  }

  protected finish(): void {
    this.isDone = true;
    this.session.finished(this);
  }

  #endAfter(after: number, how: 'complete' | 'close'): void {
    // Nobody says any more what its client missed: that comes back for it.
    if (how === 'close') this.#held = undefined;
    this.#end = { after, how };
    this.#endIfDue();
  }

  #endIfDue(): void {
    const end = this.#end;
    if (end === undefined || this.isDone || this.#held !== undefined) return;
    if (this.lastSeq < end.after) return;
    this.finish();
    if (end.how === 'complete') this.sink?.complete();
    else this.sink?.close();
  }
}
