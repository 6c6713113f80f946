import type { JSONRPCRequest, ScopeChallenge } from '@modelcontextprotocol/server';
import { hash } from 'node:crypto';
import type { ClientCall } from '../calls/client-call.js';
import type { CallGates } from '../calls/gates.js';
import type { ResolvedOptions } from '../options.js';
import type { MaybePromise } from '../principal.js';
import * as refusals from '../refusal.js';
import type { Refusal } from '../refusal.js';
import { MAX_ID_CHARS, type RunningRequest } from './accepted-requests.js';
import type { Session } from './session.js';

/** Whom a session asks whether a request may run. */
export interface Admission {
  readonly gates: CallGates;
  readonly options: Pick<ResolvedOptions, 'maxInFlight' | 'refusalOf'>;
}

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
  admission: Admission,
): MaybePromise<Refusal | undefined> {
  const { id } = request.call;
  if (String(id).length > MAX_ID_CHARS) return refusals.LONG_ID;
  if (session.requests.runningOf(id) !== undefined) return refusals.REPEATED_ID;
  const refusal = whyNotRun(session, request.call, admission);
  session.requests.add(request);
  const kept =
    refusal instanceof Promise
      ? refusal.then((known) => known ?? session.begin(request))
      : (refusal ?? session.begin(request));
  if (!(kept instanceof Promise)) {
    return kept === undefined ? undefined : session.withdraw(request, kept);
  }
  request.admission = kept.then((known) =>
    decide(session, request, { refusal: known, gates: admission.gates }),
  );
  return request.admission;
}

function decide(
  session: Session,
  request: RunningRequest,
  { refusal, gates }: { refusal: Refusal | undefined; gates: CallGates },
): Refusal | undefined {
  delete request.admission;
  if (refusal !== undefined) return session.withdraw(request, refusal);
  if (session.requests.runningOf(request.call.id) === request) return undefined;
  // The client cancelled it, or the session ended: gates that were still asked are told only now.
  gates.leave(request.call, { kind: 'cancelled' });
  return session.isEnded ? session.gone : undefined;
}

/** Why a call must not run, if it must not: too many run, its client lacks scopes, or a gate says so. */
export function whyNotRun(
  session: Session,
  call: ClientCall,
  { options, gates }: Admission,
): MaybePromise<Refusal | undefined> {
  const { maxInFlight } = options;
  if (session.requests.running >= maxInFlight) return refusals.tooManyInFlight(maxInFlight);
  const { id, method, params } = call;
  const message: JSONRPCRequest = { jsonrpc: '2.0', id, method, ...(params && { params }) };
  const ask = (known: ScopeChallenge | undefined): MaybePromise<Refusal | undefined> =>
    known === undefined ? gates.admit(call) : options.refusalOf(known, call.principal);
  const fail = (error: unknown): Refusal => {
    session.log.error(error, 'the scopes of a call could not be found');
    return refusals.NO_SERVER;
  };
  try {
    const challenge = session.scopeChallengeOf(message, call.principal);
    return challenge instanceof Promise ? challenge.then(ask).catch(fail) : ask(challenge);
  } catch (error) {
    return fail(error);
  }
}
