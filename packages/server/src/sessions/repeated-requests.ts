import type { JSONRPCRequest, ScopeChallenge } from '@modelcontextprotocol/server';
import { hash } from 'node:crypto';
import type { ClientCall } from '../calls/client-call.js';
import type { Mount } from '../mount.js';
import type { MaybePromise } from '../principal.js';
import * as refusals from '../refusal.js';
import type { Refusal } from '../refusal.js';
import { MAX_ID_CHARS } from './accepted-requests.js';
import type { Session } from './session.js';

/** Tells a repetition from another request with the same id. */
export function digestOf(body: string): string {
  return hash('sha1', body, 'base64');
}

/** Why a request that is no repetition must not run, if it must not. Most often this is known at once. */
export function whyNotRun(
  session: Session,
  call: ClientCall,
  mount: Mount,
): MaybePromise<Refusal | undefined> {
  const { id, method, params } = call;
  if (String(id).length > MAX_ID_CHARS) return refusals.LONG_ID;
  if (session.requests.runningOf(id) !== undefined) return refusals.REPEATED_ID;
  const { maxInFlight } = mount.options;
  const excess =
    session.requests.running >= maxInFlight ? refusals.tooManyInFlight(maxInFlight) : undefined;
  const request: JSONRPCRequest = { jsonrpc: '2.0', id, method, ...(params && { params }) };
  const challenge = session.scopeChallengeOf(request, call.principal);
  const admission = { call, mount, excess };
  return challenge instanceof Promise
    ? challenge.then((known) => admitted(known, admission))
    : admitted(challenge, admission);
}

interface Admission {
  readonly call: ClientCall;
  readonly mount: Mount;
  /** The limit that the request would pass. */
  readonly excess: Refusal | undefined;
}

function admitted(
  challenge: ScopeChallenge | undefined,
  { call, mount: { options, gates }, excess }: Admission,
): MaybePromise<Refusal | undefined> {
  const known =
    excess ?? (challenge === undefined ? undefined : options.refusalOf(challenge, call.principal));
  const refusal = known ?? gates.admit(call);
  const leave = (why: Refusal | undefined): Refusal | undefined => {
    if (why !== undefined) gates.leave(call, { kind: 'refused', refusal: why });
    return why;
  };
  return refusal instanceof Promise ? refusal.then(leave) : leave(refusal);
}
