import type { LoggedEvent } from '../events/event-log.js';
import type { Sink } from '../events/sink.js';
import { isRequest } from '../http/messages.js';
import { MOVED, OUTCOME_UNKNOWN, type Refusal } from '../refusal.js';
import { sentRequestOf, type AnsweringMessage, type SentPost } from './node-messages.js';
import { RemoteReader, type AwaitedSession } from './remote-reader.js';
import type { Posted, PostOutcome, SessionHandle } from './session-handle.js';

/**
 * A POST for a session of another node. Until it is answered it may be sent again, to the same owner or to
 * the next one: what ran does not run again, because its owner knows its requests by id and digest.
 */
export class RemotePost extends RemoteReader {
  readonly outcome: Promise<PostOutcome>;
  readonly #posted: Posted;
  readonly #requests: number;
  readonly #sent: SentPost;
  /** The ids of the requests whose answers its client has, as JSON. */
  readonly #answered = new Set<string>();
  #stream: number | undefined;
  #isAskedAgain = false;
  /** How many of those that were asked may have begun to run it: they have not said the opposite. */
  #begun = 0;
  #resolve: (outcome: PostOutcome) => void = () => {};

  constructor(session: AwaitedSession, posted: Posted) {
    super(session);
    this.#posted = posted;
    this.outcome = new Promise((resolve) => (this.#resolve = resolve));
    const { request, principal, messages, isBatch, canReturn, answer } = posted;
    const requests = messages.filter((message) => isRequest(message));
    this.#requests = requests.length;
    this.#sent = {
      principal,
      request: sentRequestOf(request),
      messages,
      digests: requests.map((message) => posted.digestOf(message)),
      isBatch,
      isAnswered: answer !== undefined,
      canReturn,
    };
  }

  /** Whose request it is. */
  get met(): Pick<SentPost, 'principal' | 'request'> {
    return this.#sent;
  }

  protected get stream(): number | undefined {
    return this.#stream;
  }

  protected askOwner(): void {
    const isAgain = this.#isAskedAgain;
    this.#isAskedAgain = true;
    this.#begun++;
    if (!isAgain) {
      this.session.send(this, { kind: 'post', ...this.#sent });
      return;
    }
    if (this.#isAnswered) this.hold();
    this.session.send(this, { kind: 'post', ...this.#sent, again: this.#again });
  }

  override answered(answer: AnsweringMessage): void {
    if (this.isDone) return;
    switch (answer.kind) {
      case 'accepted':
        this.#settle('accepted');
        return;
      case 'refused':
        this.#settle({ refusal: answer.refusal, id: answer.id });
        return;
      case 'taken':
        this.#open(answer.stream, answer.isBatch);
        return;
      case 'moved':
        if (answer.hasBegun !== true) this.#begun--;
        super.answered(answer);
        return;
      default:
        super.answered(answer);
    }
  }

  protected async comeHome(session: SessionHandle): Promise<void> {
    const { answer } = this.#posted;
    const outcome = await session.post({
      ...this.#posted,
      again: this.#again,
      ...(answer !== undefined && {
        answer: (stream: number, isBatch: boolean): Sink => {
          this.#open(stream, isBatch);
          return this;
        },
      }),
    });
    if (outcome === 'answered' || this.isDone) return;
    if (typeof outcome !== 'string' && outcome.refusal === MOVED) this.cut();
    else this.#settle(outcome);
  }

  protected giveUp(refusal: Refusal): void {
    const { answer, messages, isBatch } = this.#posted;
    const requests = messages.filter((message) => isRequest(message));
    if (this.#begun === 0 || answer === undefined || requests.length === 0) {
      this.#resolve({ refusal: this.#isUnsure ? unsure(refusal) : refusal, id: requests[0]?.id });
      this.sink?.close();
      return;
    }
    // Not by a status, which would say that it did not run.
    this.#open(this.#stream ?? 0, isBatch);
    for (const { id } of requests) {
      const data = JSON.stringify({ jsonrpc: '2.0', id, error: OUTCOME_UNKNOWN });
      const about = { kind: 'answer', id: JSON.stringify(id) } as const;
      if (this.#answered.has(about.id)) continue;
      void this.sink?.send({ seq: this.lastSeq, stream: this.#stream ?? 0, data, about });
    }
    this.sink?.complete();
  }

  protected override pass(event: LoggedEvent): Promise<void> | undefined {
    if (event.about?.kind === 'answer') {
      if (this.#answered.has(event.about.id)) return undefined;
      this.#answered.add(event.about.id);
    }
    this.#open(event.stream, this.#posted.isBatch);
    const keepsUp = super.pass(event);
    // A batch that is answered in part may be resumed by another request, which ends it itself.
    if (this.#answered.size >= this.#requests) this.complete();
    return keepsUp;
  }

  /** Whether its status must not say that it did not run. */
  get #isUnsure(): boolean {
    return this.#begun > 0 && this.#requests > 0;
  }

  get #isAnswered(): boolean {
    return this.#posted.answer !== undefined && this.#requests > 0;
  }

  get #again(): NonNullable<Posted['again']> {
    return { stream: this.#stream, after: this.lastSeq };
  }

  #open(stream: number, isBatch: boolean): void {
    this.#stream ??= stream;
    if (this.sink !== undefined) return;
    this.sink = this.#posted.answer?.(stream, isBatch);
    this.#resolve('answered');
  }

  #settle(outcome: PostOutcome): void {
    this.#resolve(outcome);
    this.finish();
    // Where it had begun to be answered, its client is to ask again.
    this.sink?.close();
  }
}

/** The same without a status that says that nothing ran. */
function unsure({ code, message, data }: Refusal): Refusal {
  return { status: 500, code, message, data: { ...data, certainty: 'outcome-unknown' } };
}
