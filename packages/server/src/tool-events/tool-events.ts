import {
  INTERNAL_ERROR,
  ProtocolError,
  type CallToolRequestParams,
  type CallToolResult,
  type JSONRPCErrorResponse,
  type JSONRPCMessage,
  type MessageExtraInfo,
} from '@modelcontextprotocol/server';
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import type { EventCall, EventCalls, SessionHandle } from '../cluster/session-handle.js';
import type { LoggedEvent } from '../events/event-log.js';
import { encodeEvent, EventStream } from '../events/event-stream.js';
import { IncomingRequest } from '../http/incoming-request.js';
import type { Mount } from '../mount.js';
import { ClientCall } from '../calls/client-call.js';
import type { CallOutcome } from '../calls/call.js';
import * as refusals from '../refusal.js';
import { refuse } from '../refusal.js';
import { whyNotRun } from '../sessions/admission.js';
import type { Session } from '../sessions/session.js';
import { TASK_ONLY } from '../tasks/legacy-forms.js';
import { answerOf, describeTools, parseToolCall } from './tool-call.js';
import { CALLER_NAME, ToolCaller, isToolsChanged } from './tool-caller.js';

/** What a client is told of a defect. */
const CALL_FAILED = {
  code: INTERNAL_ERROR,
  message: 'The call failed: the log of the server says why',
};

/** A client names the tool, which the server may repeat: a line of the log has an end. */
const MAX_REASON_CHARS = 256;

/** What sends the `tools` event on one stream. */
export interface Announcing {
  /** Sends it for the first time, and what such a client waits for. */
  readonly begin: () => void;
  /** Told of each message on the stream: it sends the event once more if the tools have changed. */
  readonly sent: (event: LoggedEvent) => void;
}

/** The tool-events transport over the sessions of a mount. */
export class ToolEvents implements EventCalls {
  readonly #mount: Mount;
  readonly #callers = new WeakMap<Session, ToolCaller>();

  constructor(mount: Mount) {
    this.#mount = mount;
  }

  /** Lets a session answer both kinds of clients. */
  serve(session: Session): ToolCaller {
    const caller = new ToolCaller(
      (message, extra) => session.receive(message, extra),
      initializedBy(session),
    );
    this.#callers.set(session, caller);
    session.signal.addEventListener('abort', () => caller.close(), { once: true });
    session.tap((message) => caller.claimOutgoing(message));
    return caller;
  }

  noteIncoming(session: Session, message: JSONRPCMessage): void {
    this.#callers.get(session)?.noteIncoming(message);
  }

  /** What keeps the client of a stream informed of the tools. */
  announcing(session: SessionHandle, stream: EventStream): Announcing {
    let state: 'no' | 'running' | 'again' = 'no';
    const isAgain = (): boolean => state === 'again';
    const announce = async (): Promise<void> => {
      if (state !== 'no') {
        state = 'again';
        return;
      }
      do {
        state = 'running';
        const tools = await session.listTools();
        emit(stream, 'tools', tools);
      } while (isAgain() && !stream.isEnded);
      state = 'no';
    };
    return {
      begin: () => {
        void announce().then(() => emit(stream, 'capabilities', '{"sse":true}'));
      },
      sent: (event) => {
        if (isToolsChanged(event)) void announce();
      },
    };
  }

  /** Answers a POST with an event stream of one `result` or `error`. */
  async answer(
    body: Record<string, unknown>,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const principal = this.#mount.principalOf(request);
    const asked = parseToolCall(body);
    if (typeof asked === 'string') return refuse(reply, refusals.badToolCall(asked));
    const { sessionId, tool, args } = asked;
    const session = await this.#mount.handles.find(sessionId, principal, request);
    if (session?.transport !== 'sse') return refuse(reply, refusals.UNKNOWN_SESSION);
    const gone = new AbortController();
    const opened: { stream?: EventStream } = {};
    const begun = (): AbortSignal => {
      const stream = new EventStream(reply, this.#mount.events);
      opened.stream = stream;
      stream.onclose = () => gone.abort();
      return gone.signal;
    };
    const answer = await session.callTool({ tool, args, principal, request, begun });
    if (typeof answer !== 'string') {
      // While the gates were asked, the client may have left.
      if (opened.stream === undefined && !reply.raw.destroyed) return refuse(reply, answer);
      opened.stream?.end();
      return reply.sent ? reply : reply.hijack();
    }
    if (opened.stream === undefined) begun();
    const { stream } = opened;
    try {
      if (stream?.isEnded === false) void stream.send(answer);
    } catch (error) {
      // Too much waits for all readers together, which ends the stream.
      reply.log.info(error, 'the answer to a call could not be sent');
    }
    stream?.end();
    return reply;
  }

  async call(
    session: Session,
    { tool, args, principal, request, begun }: EventCall,
  ): Promise<string | refusals.Refusal> {
    const { gates, options, tasks } = this.#mount;
    if (tasks?.rules.find(tool)?.task === 'required') return TASK_ONLY;
    const caller = this.#callerOf(session);
    const { requests, protocolVersion } = session;
    const params = { name: tool, arguments: args };
    const call = new ClientCall(
      { jsonrpc: '2.0', id: 0, method: 'tools/call', params },
      { principal, transport: 'tool-events', sessionId: session.id, protocolVersion, request },
    );
    const admission = whyNotRun(session, call, this.#mount);
    requests.others++;
    // What ends it otherwise is a defect.
    let outcome: CallOutcome = { kind: 'error', error: CALL_FAILED };
    try {
      const refusal = await admission;
      if (refusal !== undefined) {
        outcome = { kind: 'refused', refusal };
        return refusal;
      }
      // While the gates were asked, the session may have ended.
      if (session.isEnded) {
        outcome = { kind: 'cancelled' };
        return session.gone;
      }
      const ran = await this.#run(call, { session, caller }, begun());
      const answer = answerOf(ran, options.maxBufferedBytes, session.log);
      outcome = answer.outcome;
      return answer.event;
    } finally {
      requests.others--;
      session.touch();
      gates.leave(call, outcome);
    }
  }

  async listTools(session: Session): Promise<string> {
    const caller = this.#callerOf(session);
    const listed = caller.listTools().then(describeTools);
    const tools = await listed.catch((error: unknown) => {
      session.log.debug(error, 'the tools of a session could not be listed');
      return [];
    });
    return JSON.stringify(tools);
  }

  /** One that was taken over has none yet. */
  #callerOf(session: Session): ToolCaller {
    return this.#callers.get(session) ?? this.serve(session);
  }

  /** Runs a call that was admitted. */
  async #run(
    call: ClientCall,
    { session, caller }: { session: Session; caller: ToolCaller },
    gone: AbortSignal,
  ): Promise<CallOutcome> {
    const { authInfo } = call.principal;
    const extra: MessageExtraInfo = {
      request: IncomingRequest.from(call.request, session),
      ...(authInfo !== undefined && { authInfo }),
    };
    const cancel = (): void => call.cancel();
    for (const signal of [gone, session.signal]) signal.addEventListener('abort', cancel);
    if (gone.aborted) cancel();
    session.touch();
    try {
      const params = call.params as CallToolRequestParams;
      const result = await passed(call, this.#mount.gates, () =>
        caller.callTool(params, { signal: call.signal, extra }),
      );
      return { kind: 'result', result };
    } catch (error) {
      // A tool that still runs, although its call has failed, is told that nobody waits for it.
      call.cancel();
      if (gone.aborted || session.isEnded) return { kind: 'cancelled' };
      return { kind: 'error', error: told(error, session.log) };
    } finally {
      for (const signal of [gone, session.signal]) signal.removeEventListener('abort', cancel);
    }
  }
}

/** Who has initialized the server of a session before it came to this node. */
function initializedBy({ record: { initialize } }: Session): 'client' | 'caller' | undefined {
  if (initialize === undefined) return undefined;
  const { name } = (initialize.params?.['clientInfo'] ?? {}) as { name?: unknown };
  return name === CALLER_NAME ? 'caller' : 'client';
}

/** What a client is told of the failure of its call; the log gets a line. */
function told(error: unknown, log: FastifyBaseLogger): JSONRPCErrorResponse['error'] {
  if (!(error instanceof ProtocolError)) {
    log.error(error, 'a call failed');
    return CALL_FAILED;
  }
  const { code, message, data } = error;
  log.info({ code, reason: message.slice(0, MAX_REASON_CHARS) }, 'a call failed');
  return { code, message, ...(data !== undefined && { data }) };
}

/** Runs a call once the gates let it pass. */
function passed(
  call: ClientCall,
  gates: Mount['gates'],
  run: () => Promise<CallToolResult>,
): Promise<CallToolResult> {
  return new Promise((resolve, reject) => {
    const { signal } = call;
    // A gate may hold it for longer than anybody waits.
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    gates.pass(
      call,
      () => void run().then(resolve, reject),
      ({ code, message, data }) => reject(ProtocolError.fromError(code, message, data)),
    );
  });
}

/** @param data JSON. */
function emit(stream: EventStream, event: string, data: string): void {
  if (stream.isEnded) return;
  try {
    void stream.send(encodeEvent(event, data));
  } catch {
    // The reader was too slow: it opens a new stream.
  }
}
