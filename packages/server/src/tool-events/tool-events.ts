import {
  ProtocolError,
  type CallToolResult,
  type JSONRPCMessage,
} from '@modelcontextprotocol/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { encodeEvent, type EventStream } from '../events/event-stream.js';
import type { Mount } from '../mount.js';
import { ClientCall } from '../calls/client-call.js';
import type { CallOutcome } from '../calls/call.js';
import * as refusals from '../refusal.js';
import { refuse } from '../refusal.js';
import type { Session } from '../sessions/session.js';
import { answerToolCall, describeTools, parseToolCall } from './tool-call.js';
import { ToolCaller, isToolsChanged } from './tool-caller.js';

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
    const caller = new ToolCaller((message) => session.receive(message));
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
  announce(session: Session, stream: EventStream): void {
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
    const { options, sessions, gates } = this.#mount;
    const asked = parseToolCall(body);
    if (typeof asked === 'string') return refuse(reply, refusals.badToolCall(asked));
    const session = sessions.find(asked.sessionId, this.#mount.principalOf(request));
    const served = session === undefined ? undefined : this.#served.get(session);
    if (session === undefined || served === undefined)
      return refuse(reply, refusals.UNKNOWN_SESSION);
    const { requests, principal, protocolVersion } = session;
    const call = new ClientCall(
      {
        jsonrpc: '2.0',
        id: 0,
        method: 'tools/call',
        params: { name: asked.tool, arguments: asked.args },
      },
      { principal, transport: 'tool-events', sessionId: session.id, protocolVersion, request },
    );
    let refusal = await gates.admit(call);
    if (requests.running >= options.maxInFlight) {
      refusal ??= refusals.tooManyInFlight(options.maxInFlight);
    }
    if (refusal !== undefined) {
      gates.leave(call, { kind: 'refused', refusal });
      return refuse(reply, refusal);
    }
    requests.others++;
    let outcome: CallOutcome = { kind: 'cancelled' };
    const end = (): void => call.cancel();
    const run = async (signal: AbortSignal): Promise<CallToolResult> => {
      signal.addEventListener('abort', () => call.cancel(), { once: true });
      session.signal.addEventListener('abort', end, { once: true });
      const result = await passed(call, gates, () =>
        served.caller.callTool(asked.tool, asked.args, signal),
      );
      outcome = { kind: 'result', result };
      return result;
    };
    try {
      await answerToolCall(reply, this.#mount.events, async (signal) => {
        session.touch();
        return run(signal);
      });
    } finally {
      session.signal.removeEventListener('abort', end);
      requests.others--;
      session.touch();
      gates.leave(call, outcome);
    }
    return reply;
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
      const tools = await served.caller.listTools().catch((error: unknown) => {
        session.log.debug(error, 'the tools of a session could not be listed');
        return [];
      });
      emit(served.stream, 'tools', describeTools(tools));
    } while (isAnnouncedAgain(served) && !session.isEnded);
    served.announcing = 'no';
  }
}

function isAnnouncedAgain({ announcing }: Served): boolean {
  return announcing === 'again';
}

/** Runs a call once the gates let it pass. */
function passed(
  call: ClientCall,
  gates: Mount['gates'],
  run: () => Promise<CallToolResult>,
): Promise<CallToolResult> {
  return new Promise((resolve, reject) => {
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
