import type {
  JSONRPCMessage,
  JSONRPCRequest,
  MessageExtraInfo,
  RequestId,
} from '@modelcontextprotocol/server';
import { ClientCall } from '../calls/client-call.js';
import type { CatchUpSink, Sink } from '../events/sink.js';
import { IncomingRequest } from '../http/incoming-request.js';
import { isRequest } from '../http/messages.js';
import type { MaybePromise } from '../principal.js';
import * as refusals from '../refusal.js';
import type { Refusal } from '../refusal.js';
import type { AnsweredRequest, RunningRequest } from '../sessions/accepted-requests.js';
import { admit, type Admission } from '../sessions/admission.js';
import { goneAnswer, MAIN_STREAM } from '../sessions/session-streams.js';
import type { Session } from '../sessions/session.js';
import type { SessionRecord } from '../sessions/session-store.js';
import type {
  AnswerSink,
  EventCall,
  EventCalls,
  Listening,
  Posted,
  PostOutcome,
  SessionHandle,
} from './session-handle.js';

type OpenAnswer = NonNullable<Posted['answer']>;

/** What the handles of sessions need of their mount. */
export interface LocalSessionHost extends Admission {
  /** Missing without the tool-events transport. */
  eventCalls?: EventCalls | undefined;
  /** Posts to whichever node has a session now; missing without a cluster. */
  readonly postAgain?: (session: Session, posted: Posted) => MaybePromise<PostOutcome>;
  /** Told of a reader that is gone, of a session that has left this node. */
  readonly detached?: (session: Session, stream: number, sink: Sink) => void;
}

/** A session of this node. */
export class LocalSession implements SessionHandle {
  readonly session: Session;
  readonly #host: LocalSessionHost;

  constructor(session: Session, host: LocalSessionHost) {
    this.session = session;
    this.#host = host;
  }

  get id(): string {
    return this.session.id;
  }

  get transport(): SessionRecord['transport'] {
    return this.session.record.transport;
  }

  get protocolVersion(): string | undefined {
    return this.session.protocolVersion;
  }

  post(posted: Posted): MaybePromise<PostOutcome> {
    const outcome = this.#post(posted);
    const { postAgain } = this.#host;
    if (postAgain === undefined || posted.from !== undefined) return outcome;
    const followed = (known: PostOutcome): MaybePromise<PostOutcome> =>
      typeof known !== 'string' && known.refusal === refusals.MOVED && posted.again === undefined
        ? postAgain(this.session, posted)
        : known;
    return outcome instanceof Promise ? outcome.then(followed) : followed(outcome);
  }

  #post(posted: Posted): MaybePromise<PostOutcome> {
    const { messages, answer } = posted;
    const { session } = this;
    if (session.isEnded) return { refusal: session.gone };
    session.owned?.cameFrom(posted.from);
    const requests = messages.filter((message) => isRequest(message));
    const [first] = requests;
    if (first === undefined) {
      const extra = this.#extraOf(posted);
      for (const message of messages) this.#receive(message, extra);
      return 'accepted';
    }
    return answer === undefined
      ? this.#takeOnMain(first, posted)
      : this.#take(requests, posted, answer);
  }

  async listen({ stream, after, unless, open }: Listening): Promise<boolean> {
    const { streams } = this.session;
    if (unless === 'over' && (await streams.isOver(stream, after ?? 0))) return false;
    if (unless === 'incomplete') {
      const { isComplete } = await streams.missed(after ?? 0, stream);
      if (!isComplete) {
        await this.session.end('abandoned');
        return false;
      }
    }
    await streams.resume(stream, open(streams.sentUpTo), after);
    return true;
  }

  detach(stream: number, sink: Sink): void {
    this.session.streams.detach(stream, sink);
    if (this.session.isEnded) this.#host.detached?.(this.session, stream, sink);
  }

  async callTool(call: EventCall): Promise<string | Refusal> {
    if (this.session.isEnded) return this.session.gone;
    return this.#host.eventCalls?.call(this.session, call) ?? refusals.UNKNOWN_SESSION;
  }

  async listTools(): Promise<string> {
    return this.#host.eventCalls?.listTools(this.session) ?? '[]';
  }

  async end(): Promise<void> {
    await this.session.end('deleted');
  }

  /** Takes requests that are answered where they were posted. */
  async #take(
    requests: readonly JSONRPCRequest[],
    posted: Posted,
    open: OpenAnswer,
  ): Promise<PostOutcome> {
    const { session } = this;
    const { isBatch, messages, canReturn } = posted;
    if (isBatch && new Set(requests.map(({ id }) => id)).size < requests.length) {
      return { refusal: refusals.REPEATED_ID };
    }
    const { again } = posted;
    const stream =
      again?.stream ?? (again && this.#streamOf(requests, posted)) ?? session.streams.next();
    const running: RunningRequest[] = [];
    const repeated: { id: RequestId; known: AnsweredRequest }[] = [];
    let isKnown = false;
    for (const message of requests) {
      const { id } = message;
      const digest = posted.digestOf(message);
      const known = session.requests.get(id);
      if (known?.digest === digest) {
        if (again !== undefined && known.stream === stream) {
          isKnown = true;
          continue;
        }
        if (!isBatch) return this.#repeat(known, posted, { id, open });
        if (known.answeredAt !== undefined) {
          repeated.push({ id, known });
          continue;
        }
      }
      const one = { call: this.#callOf(message, posted), digest, stream };
      const asked = isInitializedAgain(session, message)
        ? refusals.ALREADY_INITIALIZED
        : admit(session, one, this.#host);
      const refusal = asked instanceof Promise ? await asked : asked;
      if (refusal !== undefined) {
        for (const earlier of running) session.withdraw(earlier, refusal);
        return { refusal, id };
      }
      running.push(one);
    }
    const response = open(stream, isBatch);
    const begun = running.flatMap((one) => one.begun ?? []);
    if (begun.length > 0) {
      response.opensAfter?.(Promise.all(begun).then((each) => each.every(Boolean)));
    }
    if (isKnown && isCatchUpSink(response)) {
      await session.streams.resume(stream, response, again?.after);
    } else {
      session.streams.attach(stream, response);
      if (again !== undefined) response.catchUp?.([], 0);
    }
    for (const { id, known } of repeated) {
      const answer = (await session.answerTo(known)) ?? goneAnswer(id, known.answeredAt, stream);
      void response.send(answer, true);
    }
    const extra = this.#extraOf(posted, canReturn ? () => response.close() : undefined);
    for (const message of messages) {
      if (!isRequest(message)) {
        this.#receive(message, extra);
        continue;
      }
      const one = running.find(({ call }) => call.id === message.id);
      if (one !== undefined) session.run(message, one, extra);
    }
    if (running.length === 0) session.streams.complete(stream);
    return 'answered';
  }

  /** A request that was accepted before: it does not run again, and gets the first answer. */
  async #repeat(
    known: RunningRequest | AnsweredRequest,
    { again }: Posted,
    { id, open }: { readonly id: RequestId; readonly open: OpenAnswer },
  ): Promise<PostOutcome> {
    if (known.answeredAt === undefined) {
      const refusal = await known.admission;
      if (refusal !== undefined) return { refusal, id };
    }
    const { requests, streams } = this.session;
    const now = requests.get(id) ?? known;
    if (now.answeredAt === undefined) {
      const response = open(now.stream, requests.runningOn(now.stream) > 1);
      streams.attach(now.stream, response);
      if (again !== undefined) response.catchUp?.([], 0);
      return 'answered';
    }
    const answer = await this.session.answerTo(now);
    if (answer === undefined) return { refusal: refusals.ANSWER_GONE, id };
    const response = open(now.stream, false);
    if (again !== undefined) response.catchUp?.([], 0);
    void response.send(answer, true);
    response.complete();
    return 'answered';
  }

  /** The stream on which requests were answered that came before. */
  #streamOf(requests: readonly JSONRPCRequest[], { digestOf }: Posted): number | undefined {
    for (const message of requests) {
      const known = this.session.requests.get(message.id);
      if (known !== undefined && known.digest === digestOf(message)) return known.stream;
    }
    return undefined;
  }

  /** Takes a request that is answered on the main stream. */
  #takeOnMain(message: JSONRPCRequest, posted: Posted): MaybePromise<PostOutcome> {
    const { session } = this;
    const extra = this.#extraOf(posted);
    this.#host.eventCalls?.noteIncoming(session, message);
    const digest = posted.digestOf(message);
    const known = session.requests.get(message.id);
    if (known?.digest === digest) {
      // Where its node asks once more, its reader has the answer, or gets it.
      const asked = this.#answerAgain(known, posted.again === undefined);
      return asked.then((refusal) => outcomeOf(refusal, message.id));
    }
    const running = { call: this.#callOf(message, posted), digest, stream: MAIN_STREAM };
    const run = (refusal: Refusal | undefined): PostOutcome => {
      if (refusal === undefined) session.run(message, running, extra);
      return outcomeOf(refusal, message.id);
    };
    const refusal = admit(session, running, this.#host);
    return refusal instanceof Promise ? refusal.then(run) : run(refusal);
  }

  /** Sends the answer to a repeated request once more; one that runs will be answered anyway. */
  async #answerAgain(
    known: RunningRequest | AnsweredRequest,
    isWanted: boolean,
  ): Promise<Refusal | undefined> {
    if (known.answeredAt === undefined) return known.admission;
    if (!isWanted) return undefined;
    const answer = await this.session.answerTo(known);
    if (answer === undefined) return refusals.ANSWER_GONE;
    this.session.streams.sendAgain(answer);
    return undefined;
  }

  #receive(message: JSONRPCMessage, extra: MessageExtraInfo): void {
    this.#host.eventCalls?.noteIncoming(this.session, message);
    this.session.receive(message, extra);
  }

  #callOf(message: JSONRPCRequest, { principal, request }: Posted): ClientCall {
    const { id: sessionId, protocolVersion, record } = this.session;
    return new ClientCall(this.session.received(message), {
      principal,
      transport: record.transport,
      sessionId,
      protocolVersion,
      request,
    });
  }

  #extraOf({ request, principal }: Posted, closeStream?: () => void): MessageExtraInfo {
    const { authInfo } = principal;
    const { session } = this;
    return {
      request: IncomingRequest.from(request, session),
      ...(authInfo !== undefined && { authInfo }),
      ...(closeStream !== undefined && {
        closeSSEStream: closeStream,
        closeStandaloneSSEStream: () => session.streams.close(MAIN_STREAM),
      }),
    };
  }
}

function isCatchUpSink(sink: AnswerSink): sink is CatchUpSink {
  return sink.catchUp !== undefined;
}

function outcomeOf(refusal: Refusal | undefined, id: RequestId): PostOutcome {
  return refusal === undefined ? 'accepted' : { refusal, id };
}

/** Whether a handshake comes a second time; one that still runs is no repetition of this one. */
function isInitializedAgain({ record }: Session, { method }: JSONRPCRequest): boolean {
  return method === 'initialize' && record.initialize !== undefined;
}
