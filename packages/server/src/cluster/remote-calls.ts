import { OUTCOME_UNKNOWN, STOPPING, type Refusal } from '../refusal.js';
import { sentRequestOf, type AnsweringMessage } from './node-messages.js';
import type { AwaitedSession, Waiting } from './remote-reader.js';
import type { EventCall, SessionHandle } from './session-handle.js';

/** Something that is asked of the owner of a session once, and answered once. */
abstract class RemoteRequest<Result> implements Waiting {
  readonly uid: string;
  session: AwaitedSession;
  readonly result: Promise<Result>;
  #resolve: (result: Result) => void = () => {};

  constructor(session: AwaitedSession) {
    this.session = session;
    this.uid = session.nextUid();
    this.result = new Promise((resolve) => (this.#resolve = resolve));
  }

  abstract ask(): void;
  abstract fail(refusal: Refusal): void;
  protected abstract comeHome(session: SessionHandle): Promise<Result>;

  arrive(session: SessionHandle): void {
    this.comeHome(session).then(
      (result) => this.settle(result),
      (error: unknown) => {
        this.session.log.error(error, 'a session that has moved here did not answer');
        this.fail(STOPPING);
      },
    );
  }

  answered(answer: AnsweringMessage): void {
    if (answer.kind === 'moved') this.session.look();
  }

  protected settle(result: Result): void {
    this.session.finished(this);
    this.#resolve(result);
  }
}

/** The end of a session, as its client asked for it. */
export class RemoteEnd extends RemoteRequest<void> {
  ask(): void {
    this.session.send(this, { kind: 'end', principal: this.session.record.principal });
  }

  fail(): void {
    this.settle();
  }

  override answered(answer: AnsweringMessage): void {
    if (answer.kind === 'moved') super.answered(answer);
    else this.settle();
  }

  protected comeHome(session: SessionHandle): Promise<void> {
    return session.end();
  }
}

/** The tools of a session, as the tool-events transport lists them. */
export class RemoteToolList extends RemoteRequest<string> {
  ask(): void {
    this.session.send(this, { kind: 'tool-list', principal: this.session.record.principal });
  }

  fail(): void {
    this.settle('[]');
  }

  override answered(answer: AnsweringMessage): void {
    if (answer.kind === 'tool-answer') this.settle(answer.text);
    else if (answer.kind === 'moved') super.answered(answer);
    else this.settle('[]');
  }

  protected comeHome(session: SessionHandle): Promise<string> {
    return session.listTools();
  }
}

/** A call of the tool-events transport. Where its owner may have begun it, it is not asked for again. */
export class RemoteToolCall extends RemoteRequest<string | Refusal> {
  readonly #call: EventCall;
  /** The node that may have begun to run it. */
  #askedNode: string | undefined;
  #hasBegun = false;

  constructor(session: AwaitedSession, call: EventCall) {
    super(session);
    this.#call = call;
  }

  ask(): void {
    const { node } = this.session;
    if (this.#askedNode === node) return;
    if (this.#askedNode !== undefined) return this.#giveUp();
    this.#askedNode = node;
    const { principal, request, tool, args } = this.#call;
    this.session.send(this, {
      kind: 'tool-call',
      principal,
      request: sentRequestOf(request),
      tool,
      args,
    });
  }

  fail(refusal: Refusal): void {
    if (this.#askedNode !== undefined) this.#giveUp();
    else this.settle(refusal);
  }

  override answered(answer: AnsweringMessage): void {
    switch (answer.kind) {
      case 'tool-begun':
        this.#begin();
        return;
      case 'tool-answer':
        this.settle(answer.text);
        return;
      case 'refused':
        this.settle(answer.refusal);
        return;
      case 'moved':
        if (!this.#hasBegun) this.#askedNode = undefined;
        super.answered(answer);
        return;
      default:
    }
  }

  protected async comeHome(session: SessionHandle): Promise<string | Refusal> {
    return this.#askedNode !== undefined ? unknownOutcome() : session.callTool(this.#call);
  }

  #begin(): void {
    this.#hasBegun = true;
    const leave = (): void => {
      this.session.send(this, { kind: 'detach' });
      this.#giveUp();
    };
    const signal = this.#call.begun();
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  }

  #giveUp(): void {
    this.settle(unknownOutcome());
  }
}

/** What a call is answered that may have run. */
function unknownOutcome(): string {
  const { code, message, data } = OUTCOME_UNKNOWN;
  return `event: error\ndata: ${JSON.stringify({ message, code, data })}\n\n`;
}
