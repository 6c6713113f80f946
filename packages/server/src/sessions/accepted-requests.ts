import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/server';
import type { ClientCall } from '../calls/client-call.js';
import type { EndedRequest } from '../cluster/cluster.js';
import type { Refusal } from '../refusal.js';
import { BriefMap } from '../instances/brief-map.js';

/** The longest id: the client chooses it, and it is kept as long as its answer. */
export const MAX_ID_CHARS = 256;

/** Answered requests that are remembered, at most; the oldest are dropped first. */
const MAX_ANSWERED = 1_000;

/** What is remembered of a request that its session accepted. */
interface AcceptedRequest {
  /** Of its body: a repetition has the same one. */
  readonly digest: string;
  /** The stream on which it is answered. */
  readonly stream: number;
}

/** A request without an answer, from its arrival on. */
export interface RunningRequest extends AcceptedRequest {
  readonly answeredAt?: undefined;
  readonly call: ClientCall;
  /** While it is asked whether it may run: the refusal, if it may not. */
  admission?: Promise<Refusal | undefined>;
  /** In a cluster: whether the next owner of its session would know of it. */
  begun?: Promise<boolean>;
  /** What runs it in the place of the session's server, and tells the gates of its end. */
  run?: { abandon(): void };
}

/** A request that ended. */
export interface AnsweredRequest extends AcceptedRequest {
  /** The place of the answer among the messages of the session; 0 if it was cancelled. */
  readonly answeredAt: number;
}

/** The requests of one session: those that run, and those that were answered lately. */
export class AcceptedRequests {
  readonly #running = new BriefMap<RequestId, RunningRequest>();
  readonly #answered = new Map<RequestId, AnsweredRequest>();

  /** Calls without an id, as the tool-events transport has them. */
  others = 0;

  /** How many run. */
  get running(): number {
    return this.#running.size + this.others;
  }

  get(id: RequestId): RunningRequest | AnsweredRequest | undefined {
    return this.#running.get(id) ?? this.#answered.get(id);
  }

  /** The one of this id, if it runs. */
  runningOf(id: RequestId | undefined): RunningRequest | undefined {
    return id === undefined ? undefined : this.#running.get(id);
  }

  /** Those that run. */
  all(): Iterable<RunningRequest> {
    return this.#running.values();
  }

  /** How many requests of this stream run. */
  runningOn(stream: number): number {
    let count = 0;
    for (const request of this.#running.values()) if (request.stream === stream) count++;
    return count;
  }

  /** The answers on this stream: the ids of their requests, and their places. */
  *answeredOn(stream: number): Iterable<{ readonly id: RequestId; readonly seq: number }> {
    for (const [id, { stream: own, answeredAt }] of this.#answered) {
      if (own === stream && answeredAt > 0) yield { id, seq: answeredAt };
    }
  }

  /** Remembers what an owner before has answered. */
  restore(answered: readonly EndedRequest[]): void {
    for (const { id, digest, stream, answeredAt } of answered.slice(-MAX_ANSWERED)) {
      this.#answered.set(id, { digest, stream, answeredAt });
    }
  }

  add(request: RunningRequest): void {
    this.#running.set(request.call.id, request);
  }

  /** Forgets a request that was refused. */
  delete(request: RunningRequest): void {
    if (this.#running.get(request.call.id) === request) this.#running.delete(request.call.id);
  }

  /**
   * Takes note of its end: by an answer at this place, or 0 without one. The call is let go, and with it
   * the request that brought it and its body.
   */
  end(request: RunningRequest, answeredAt: number): void {
    const { call, digest, stream } = request;
    const { id } = call;
    if (this.#running.get(id) !== request) return;
    this.#running.delete(id);
    // The newest come last.
    this.#answered.delete(id);
    this.#answered.set(id, { digest, stream, answeredAt });
    if (this.#answered.size <= MAX_ANSWERED) return;
    for (const oldest of this.#answered.keys()) {
      this.#answered.delete(oldest);
      break;
    }
  }

  /** The request that a message of the server answers. */
  answeredBy(message: JSONRPCMessage): RunningRequest | undefined {
    return 'method' in message ? undefined : this.runningOf(message.id);
  }
}
