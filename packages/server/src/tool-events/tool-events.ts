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
import { LocalSession } from '../cluster/local-session.js';
import type { SessionHandle } from '../cluster/session-handle.js';
import { encodeEvent, type EventStream } from '../events/event-stream.js';
import { IncomingRequest } from '../http/incoming-request.js';
import type { Mount } from '../mount.js';
import { ClientCall } from '../calls/client-call.js';
import type { CallOutcome } from '../calls/call.js';
import * as refusals from '../refusal.js';
import { refuse } from '../refusal.js';
import { whyNotRun } from '../sessions/admission.js';
import type { Session } from '../sessions/session.js';
import { TASK_ONLY } from '../tasks/legacy-forms.js';
import { answerToolCall, describeTools, parseToolCall } from './tool-call.js';
import { ToolCaller, isToolsChanged } from './tool-caller.js';

/** What a client is told of a defect. */
const CALL_FAILED = {
  code: INTERNAL_ERROR,
  message: 'The call failed: the log of the server says why',
};

/** A client names the tool, which the server may repeat: a line of the log has an end. */
const MAX_REASON_CHARS = 256;

/** One session as a client of the tool-events transport sees it. */
interface Served {
  readonly caller: ToolCaller;
  stream: EventStream | undefined;
  announcing: 'no' | 'running' | 'again';
}

/** The tool-events transport over the sessions of a mount. */
export class ToolEvents {
  readonly #mount: Mount;
  readonly #served = new WeakMap<Session, Served>();

  constructor(mount: Mount) {
    this.#mount = mount;
  }

  /** Lets a session answer both kinds of clients. */
  serve(session: Session): void {
    const caller = new ToolCaller((message, extra) => session.receive(message, extra));
    const served: Served = { caller, stream: undefined, announcing: 'no' };
    this.#served.set(session, served);
    session.signal.addEventListener('abort', () => caller.close(), { once: true });
    session.tap((message) => {
      if (caller.claimOutgoing(message)) return true;
      if (isToolsChanged(message)) void this.#announceTools(session, served);
      return false;
    });
  }

  /** Told every message of a client: whoever initializes the server is its client. */
  noteIncoming(session: Session, message: JSONRPCMessage): void {
    this.#served.get(session)?.caller.noteIncoming(message);
  }

  /** Sends what such a client waits for, on a stream that has just been opened. */
  announce(handle: SessionHandle, stream: EventStream): void {
    if (!(handle instanceof LocalSession)) return;
    const { session } = handle;
    const served = this.#served.get(session);
    if (served === undefined) return;
    served.stream = stream;
    void this.#announceTools(session, served).then(() => {
      emit(stream, 'capabilities', { sse: true });
    });
  }

  /** Answers a call. */
  async call(
    body: Record<string, unknown>,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const { gates, sessions } = this.#mount;
    const principal = this.#mount.principalOf(request);
    const asked = parseToolCall(body);
    if (typeof asked === 'string') return refuse(reply, refusals.badToolCall(asked));
    const session = sessions.find(asked.sessionId, principal);
    const served = session === undefined ? undefined : this.#served.get(session);
    if (session === undefined || served === undefined)
      return refuse(reply, refusals.UNKNOWN_SESSION);
    if (this.#mount.tasks?.rules.find(asked.tool)?.task === 'required') {
      return refuse(reply, TASK_ONLY);
    }
    const { requests, protocolVersion } = session;
    const params = { name: asked.tool, arguments: asked.args };
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
        return refuse(reply, refusal);
      }
      // While the gates were asked, the session may have ended, or the client may have left.
      if (session.isEnded || reply.raw.destroyed) {
        outcome = { kind: 'cancelled' };
        if (!reply.raw.destroyed) return refuse(reply, refusals.UNKNOWN_SESSION);
        return reply.hijack();
      }
      outcome = await answerToolCall(reply, this.#mount.events, (signal) =>
        this.#run(call, { session, caller: served.caller }, signal),
      );
    } finally {
      requests.others--;
      session.touch();
      gates.leave(call, outcome);
    }
    return reply;
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

  /** Sends the `tools` event, and once more if the tools change meanwhile. */
  async #announceTools(session: Session, served: Served): Promise<void> {
    if (session.isEnded || served.stream === undefined) return;
    if (served.announcing !== 'no') {
      served.announcing = 'again';
      return;
    }
    do {
      served.announcing = 'running';
      const listed = served.caller.listTools().then(describeTools);
      const tools = await listed.catch((error: unknown) => {
        session.log.debug(error, 'the tools of a session could not be listed');
        return [];
      });
      emit(served.stream, 'tools', tools);
    } while (isAnnouncedAgain(served) && !session.isEnded);
    served.announcing = 'no';
  }
}

function isAnnouncedAgain({ announcing }: Served): boolean {
  return announcing === 'again';
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

function emit(stream: EventStream, event: string, data: unknown): void {
  if (stream.isEnded) return;
  try {
    void stream.send(encodeEvent(event, JSON.stringify(data)));
  } catch {
    // The reader was too slow: it opens a new stream.
  }
}
