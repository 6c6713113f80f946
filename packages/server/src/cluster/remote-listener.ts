import { RefusedError, STOPPING, type Refusal } from '../refusal.js';
import type { AnsweringMessage } from './node-messages.js';
import { RemoteReader, type AwaitedSession } from './remote-reader.js';
import type { Listening, SessionHandle } from './session-handle.js';

/** The reader of a stream of a session on another node. */
export class RemoteListener extends RemoteReader {
  /** Whether it was opened. */
  readonly isOpen: Promise<boolean>;
  readonly #listening: Listening;
  #resolve: (isOpen: boolean) => void = () => {};
  #reject: (error: Error) => void = () => {};

  constructor(session: AwaitedSession, listening: Listening) {
    super(session);
    this.#listening = listening;
    this.lastSeq = listening.after ?? 0;
    this.isOpen = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  protected get stream(): number {
    return this.#listening.stream;
  }

  protected askOwner(): void {
    this.hold();
    this.session.send(this, {
      kind: 'attach',
      principal: this.session.record.principal,
      ...this.#from,
    });
  }

  override answered(answer: AnsweringMessage): void {
    if (this.isDone) return;
    switch (answer.kind) {
      case 'over':
        this.#resolve(false);
        this.finish();
        return;
      case 'refused':
        this.fail(answer.refusal);
        return;
      case 'close':
      case 'caught-up':
        this.#open('seq' in answer ? answer.seq : 0);
        super.answered(answer);
        return;
      default:
        super.answered(answer);
    }
  }

  /** Ends it, so that its client comes back. */
  leave(): void {
    this.detach();
    this.giveUp(STOPPING);
  }

  protected async comeHome(session: SessionHandle): Promise<void> {
    const isOpen = await session.listen({
      ...this.#from,
      open: (seq) => {
        this.#open(seq);
        return this;
      },
    });
    if (isOpen || this.isDone) return;
    this.#resolve(false);
    this.finish();
    this.sink?.close();
  }

  protected giveUp(refusal: Refusal): void {
    if (this.sink !== undefined) this.sink.close();
    // Its client opens a new session, and never sees an error.
    else if (this.session.record.transport === 'sse') this.#resolve(false);
    else this.#reject(new RefusedError(refusal));
  }
  get #from(): Pick<Listening, 'stream' | 'after' | 'unless'> {
    const { stream, after, unless } = this.#listening;
    if (this.sink !== undefined) return { stream, after: this.lastSeq };
    return { stream, after, ...(unless !== undefined && { unless }) };
  }

  #open(seq: number): void {
    if (this.sink !== undefined) return;
    const sink = this.#listening.open(seq);
    this.sink = sink;
    // This reader holds back what must wait.
    sink.catchUp([], 0);
    this.#resolve(true);
  }
}
