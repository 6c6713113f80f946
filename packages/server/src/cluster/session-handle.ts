import type { JSONRPCMessage, JSONRPCRequest, RequestId } from '@modelcontextprotocol/server';
import type { ClientRequest } from '../client-request.js';
import type { CatchUpSink, Sink } from '../events/sink.js';
import type { MaybePromise, Principal } from '../principal.js';
import type { Refusal } from '../refusal.js';
import type { SessionRecord } from '../sessions/session-store.js';
import type { Session } from '../sessions/session.js';

/** A session as the routes use it, on this node or on another one. */
export interface SessionHandle {
  readonly id: string;
  readonly transport: SessionRecord['transport'];
  readonly protocolVersion: string | undefined;
  /** Takes the messages of a POST. */
  post(posted: Posted): MaybePromise<PostOutcome>;
  /**
   * Gives a stream its reader, which gets what it missed first.
   *
   * @returns whether it was opened.
   */
  listen(listening: Listening): Promise<boolean>;
  /** A reader of a stream is gone. */
  detach(stream: number, sink: Sink): void;
  /**
   * Calls a tool for a client of the tool-events transport.
   *
   * @returns the event that answers it, or why it does not run.
   */
  callTool(call: EventCall): Promise<string | Refusal>;
  /** The tools as that transport lists them: JSON. */
  listTools(): Promise<string>;
  /** Ends the session, as its client wants it. */
  end(): Promise<void>;
}

/** A call of the tool-events transport. It has no id, so that it never runs twice. */
export interface EventCall {
  readonly tool: string;
  readonly args: Record<string, unknown>;
  readonly principal: Principal;
  readonly request: ClientRequest;
  /** Called once it runs. The signal is aborted when its client leaves. */
  readonly begun: () => AbortSignal;
}

/** What serves the tool-events transport, for sessions of this node. */
export interface EventCalls {
  /** Told every message of a client before the server. */
  noteIncoming(session: Session, message: JSONRPCMessage): void;
  call(session: Session, call: EventCall): Promise<string | Refusal>;
  listTools(session: Session): Promise<string>;
}

/** What a POST brought. */
export interface Posted {
  readonly request: ClientRequest;
  readonly principal: Principal;
  readonly messages: readonly JSONRPCMessage[];
  readonly isBatch: boolean;
  /** What tells a request of it from another one with the same id. */
  readonly digestOf: (message: JSONRPCRequest) => string;
  /**
   * Opens what the requests are answered on, once they may run. Missing where the answers come on the main
   * stream.
   *
   * @param isBatch whether more than one answer comes.
   */
  readonly answer?: (stream: number, isBatch: boolean) => AnswerSink;
  /** Whether its client could come back for the answer, if the server ended the response. */
  readonly canReturn: boolean;
  /** The node that received it, if that is another one. */
  readonly from?: string;
  /**
   * It was asked for before, and it is not known what came of it: on which stream it is answered, if that
   * is known, and the place of the last message that its client has.
   */
  readonly again?: { readonly stream?: number | undefined; readonly after: number };
}

/** What the requests of a POST are answered on. It is caught up only where it was asked for before. */
export type AnswerSink = Sink & Partial<CatchUpSink>;

/** What became of a POST: it is `accepted`, it is `answered` by what `Posted.answer` opened, or refused. */
export type PostOutcome = 'accepted' | 'answered' | RefusedPost;

/** Why a POST was refused, and for which of its requests. */
export interface RefusedPost {
  readonly refusal: Refusal;
  readonly id?: RequestId | undefined;
}

/** How a stream is read. */
export interface Listening {
  readonly stream: number;
  /**
   * The place of the last message that its client has. Without it the client gets again what it may need.
   */
  readonly after: number | undefined;
  /**
   * When it is not opened: where nothing more comes on it; or where something of what its client missed is
   * not kept any more, which ends the session.
   */
  readonly unless?: 'over' | 'incomplete' | undefined;
  /**
   * Opens the event stream.
   *
   * @param seq the place up to which the messages of the session were sent.
   */
  readonly open: (seq: number) => CatchUpSink;
}
