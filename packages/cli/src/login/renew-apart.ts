import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { ChallengeDecision, OutgoingRequest } from '@longwire/client';
import type { NetworkOptions } from '../network.js';
import { summaryOf } from '../report-error.js';
import type { Input, Output } from '../streams.js';
import { LoginError } from './login-error.js';
import { loginFlows } from './login-flows.js';
import { LoginStore } from './login-store.js';

/** The word with which the command starts itself for this. */
const RENEW = '--renew-login';
/** An outcome is a decision, or an error of a few lines. */
const MAX_OUTCOME_LENGTH = 10_000;

type Variables = Readonly<Record<string, string | undefined>>;

/** What is to be renewed, and why. */
export interface Renewal {
  file: string;
  url: string;
  /** Of the answer that refused the token. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The digest of what was refused. */
  refused: string;
  /** How the server and its issuer are reached. */
  network: NetworkOptions;
}

type Outcome = { decision: ChallengeDecision } | { message: string; hint?: string | undefined };

/**
 * Renews a login in a process of its own. It goes on when this one is killed: a refresh token that was
 * used, and whose successor nobody keeps, would be the end of the login.
 *
 * @throws LoginError with what that process says.
 */
export async function renewApart(
  bin: string,
  env: Variables,
  renewal: Renewal,
): Promise<ChallengeDecision> {
  const child = spawn(process.execPath, [bin, RENEW], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
    windowsHide: true,
    env: { ...env },
  });
  const failed = new Promise<never>((_resolve, reject) => child.once('error', reject));
  child.stdin.on('error', () => undefined);
  child.stdin.end(JSON.stringify(renewal));
  child.unref();
  const said = await Promise.race([text(child.stdout), failed]);
  const outcome = outcomeIn(said.slice(0, MAX_OUTCOME_LENGTH));
  if ('decision' in outcome) return outcome.decision;
  const { message, hint } = outcome;
  throw new LoginError(message, { ...(hint !== undefined && { hint }) });
}

/** What that process does: renews what stdin names, and writes what became of it. */
export async function renewHere(options: {
  env: Variables;
  stdin: Input;
  stdout: Output;
}): Promise<void> {
  const { env, stdin, stdout } = options;
  // Whoever started this may be gone.
  stdout.on('error', () => undefined);
  const renewal = JSON.parse(await text(stdin)) as Renewal;
  const outcome = await renew(env, renewal).catch((error: unknown): Outcome => ({
    message: summaryOf(error),
    hint: error instanceof LoginError ? error.hint : undefined,
  }));
  await new Promise<void>((resolve) => {
    stdout.once('error', () => resolve());
    stdout.write(JSON.stringify(outcome), () => resolve());
  });
}

async function renew(
  env: Variables,
  { file, url, headers, refused, network }: Renewal,
): Promise<Outcome> {
  const store = new LoginStore({ env });
  const login = store.at(file);
  if (login === undefined) return { decision: 'fail' };
  let unkept: Error | undefined;
  const flows = loginFlows(store, login, {
    network,
    onSecrets: () => undefined,
    onUnkept: (reason) => (unkept = reason),
  });
  const request: OutgoingRequest = {
    method: 'POST',
    url: new URL(url),
    transport: 'streamable-http',
    attempt: 1,
    internal: true,
  };
  const decision = await store.locked(login, async () => {
    const { authorization = '' } = await flows.headers(request);
    // Another process has renewed it meanwhile.
    if (digestOf(authorization) !== refused) return 'retry';
    return await flows.onChallenge(401, headers, request);
  });
  if (unkept !== undefined)
    return { message: `the new token could not be kept: ${unkept.message}` };
  return { decision };
}

/** What is said of a token to another process. */
export function digestOf(authorization: string): string {
  return createHash('sha256').update(authorization).digest('hex');
}

function outcomeIn(said: string): Outcome {
  try {
    return JSON.parse(said) as Outcome;
  } catch {
    return { message: 'the process that renews the login ended without an answer' };
  }
}
