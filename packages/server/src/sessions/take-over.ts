import type { JSONRPCRequest, MessageExtraInfo } from '@modelcontextprotocol/server';
import type { ClientRequest } from '../client-request.js';
import { ClientCall } from '../calls/client-call.js';
import type { BegunRequest, TakenSession } from '../cluster/cluster.js';
import type { RunningRequest } from './accepted-requests.js';
import type { Session } from './session.js';

/** The request that met a session which was taken over. */
export interface Meeting {
  readonly origin: ClientRequest;
  readonly extra: MessageExtraInfo;
}

/** Pages of a list of tools that are asked for, at most. */
const MAX_PAGES = 100;

/** What an owner before had begun, with what would run it again. */
interface LeftRequest {
  readonly running: RunningRequest;
  readonly message: JSONRPCRequest | undefined;
}

/**
 * Goes on with what an owner before had begun: what may run twice runs again, and of the rest its client
 * is told that nobody knows what became of it. All of it counts as running from now on, so that a
 * repetition finds it.
 */
export async function resumeTaken(
  session: Session,
  taken: TakenSession,
  meeting: Meeting,
): Promise<void> {
  const left = taken.running.map((begun) => leftRequest(session, begun, meeting));
  for (const { running } of left) session.requests.add(running);
  // The owner before had not heard the end of the handshake: this one goes through it.
  if (taken.running.some(({ message }) => message?.method === 'initialize')) {
    delete session.record.initialize;
  }
  const unsure: LeftRequest[] = [];
  for (const one of left) {
    const { call } = one.running;
    if (one.message === undefined) session.answerUnknown(one.running);
    else if (call.method === 'tools/call') unsure.push(one);
    else settle(session, one, meeting);
  }
  if (unsure.length === 0) return;
  try {
    await learnTools(session);
  } catch (error) {
    session.log.error(error, 'the tools of a session that was taken over could not be listed');
  }
  for (const one of unsure) settle(session, one, meeting);
}

function settle(session: Session, { running, message }: LeftRequest, { extra }: Meeting): void {
  if (message !== undefined && session.owned?.isSafe(running.call) === true) {
    session.run(message, running, extra);
  } else session.answerUnknown(running);
}

function leftRequest(
  session: Session,
  { id, digest, stream, message }: BegunRequest,
  { origin }: Meeting,
): LeftRequest {
  const known: JSONRPCRequest = message ?? { jsonrpc: '2.0', id, method: 'tools/call' };
  const call = new ClientCall(session.received(known), {
    principal: session.principal,
    transport: session.record.transport,
    sessionId: session.id,
    protocolVersion: session.protocolVersion,
    request: origin,
  });
  return { running: { call, digest, stream, begun: Promise.resolve(true) }, message };
}

/** Asks the new server which of its tools may run twice. */
async function learnTools(session: Session): Promise<void> {
  let cursor: unknown;
  for (let page = 0; page < MAX_PAGES; page++) {
    const result = await session.ask('tools/list', cursor === undefined ? {} : { cursor });
    if (result === undefined) return;
    session.owned?.noteTools(result);
    cursor = result['nextCursor'];
    if (cursor === undefined) return;
  }
}
