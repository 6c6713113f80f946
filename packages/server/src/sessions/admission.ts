import type { JSONRPCRequest, ScopeChallenge } from '@modelcontextprotocol/server';
import { hash } from 'node:crypto';
import type { Mount } from '../mount.js';
import type { MaybePromise } from '../principal.js';
import * as refusals from '../refusal.js';
import type { Refusal } from '../refusal.js';
import { MAX_ID_CHARS, type RunningRequest } from './accepted-requests.js';
import type { Session } from './session.js';

/** Tells a repetition from another request with the same id. */
export function digestOf(body: string): string {
  return hash('sha1', body, 'base64');
}

/**
 * Asks whether a request that is no repetition may run, and counts it as one of the session's from now
 * on, so that the same one is recognised while this takes its time. Most often it is known at once.
 *
 * @returns the refusal, if it may not run. Without one, `Session.run` is next.
 */
export function admit(
  session: Session,
  request: RunningRequest,
  mount: Mount,
): MaybePromise<Refusal | undefined> {
  const { id } = request.call;
  const { maxInFlight } = mount.options;
  if (String(id).length > MAX_ID_CHARS) return refusals.LONG_ID;
  if (session.requests.runningOf(id) !== undefined) return refusals.REPEATED_ID;
  const isFull = session.requests.running >= maxInFlight;
  session.requests.add(request);
  if (isFull) return session.withdraw(request, refusals.tooManyInFlight(maxInFlight));
  const refusal = whyNotRun(session, request, mount);
  if (!(refusal instanceof Promise)) {
    return refusal === undefined ? undefined : session.withdraw(request, refusal);
  }
  request.admission = refusal.then(
    (known) => decide(session, request, { refusal: known, mount }),
    (error: unknown) => {
      session.log.error(error, 'the server of a session could not be made again');
      return session.withdraw(request, refusals.NO_SERVER);
    },
  );
  return request.admission;
}

function decide(
  session: Session,
  request: RunningRequest,
  { refusal, mount }: { refusal: Refusal | undefined; mount: Mount },
): Refusal | undefined {
  delete request.admission;
  if (refusal !== undefined) return session.withdraw(request, refusal);
  if (session.requests.runningOf(request.call.id) === request) return undefined;
  // The client cancelled it, or the session ended: gates that were still asked are told only now.
  mount.gates.leave(request.call, { kind: 'cancelled' });
  if (!session.isEnded) return undefined;
  return session.record.transport === 'sse' ? refusals.UNKNOWN_SESSION : refusals.SESSION_NOT_FOUND;
}

function whyNotRun(
  session: Session,
  { call }: RunningRequest,
  { options, gates }: Mount,
): MaybePromise<Refusal | undefined> {
  const { id, method, params } = call;
  const message: JSONRPCRequest = { jsonrpc: '2.0', id, method, ...(params && { params }) };
  const challenge = session.scopeChallengeOf(message, call.principal);
  const ask = (known: ScopeChallenge | undefined): MaybePromise<Refusal | undefined> =>
    known === undefined ? gates.admit(call) : options.refusalOf(known, call.principal);
  return challenge instanceof Promise ? challenge.then(ask) : ask(challenge);
}
