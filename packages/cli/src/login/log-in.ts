import { LongwireError, type OutgoingRequest } from '@longwire/client';
import { oauth, type DeviceCode, type OAuth } from '@longwire/client/oauth';
import type { Context } from '../context.js';
import { openBrowser } from '../dash/open-browser.js';
import type { NetworkOptions } from '../network.js';
import { orAborted } from '../or-aborted.js';
import { sanitizeLine } from '../sanitize.js';
import { LoginError } from './login-error.js';
import type { Login } from './login-record.js';
import { Loopback } from './loopback.js';
import { NewLogin, type Grant } from './new-login.js';
import { pastedAnswer } from './pasted-answer.js';

/** How long a person may take. */
const WAIT_MS = 5 * 60_000;
/** The longest code that is shown, and the longest that anybody would enter. */
const MAX_CODE_LENGTH = 40;

/** What is asked for. */
export interface LogInOptions {
  grant: Grant;
  /** The browser is on another machine. */
  byHand: boolean;
  scope?: string | undefined;
  clientId?: string | undefined;
  clientSecret?: string | undefined;
  /** That of a client that is registered. Default: a free port of 127.0.0.1. */
  redirect?: URL | undefined;
  /** The issuer need not say that it protects codes by PKCE. */
  allowUnadvertisedPkce: boolean;
}

/** A request that was refused for want of a login. */
export interface Challenged {
  url: URL;
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A login that is whole, and what sends its token. */
export interface LoggedIn {
  login: Login;
  auth: OAuth;
}

/**
 * Logs in where a challenge leads: in the browser, by an address and an answer that are carried by hand,
 * by a device code, or as a program.
 *
 * @throws LoginError that says why not; LongwireError `timeout`; what the interruption is.
 */
export async function logIn(
  context: Context,
  { url, headers }: Challenged,
  options: LogInOptions & { target: string; network: NetworkOptions },
): Promise<LoggedIn> {
  const { grant, byHand, scope, clientId, clientSecret, target, network } = options;
  const { redactor, interruptions, terminal } = context;
  redactor.add(clientSecret);
  const waiting = new AbortController();
  const signal = AbortSignal.any([interruptions.signal, waiting.signal]);
  const waitMs = context.options.timeoutMs ?? WAIT_MS;
  const timer = setTimeout(() => waiting.abort(tooLate(waitMs)), waitMs);
  await using loopback = grant === 'browser' ? await Loopback.listen(options.redirect) : undefined;
  const lead = async (to: URL, state: string): Promise<void> => {
    const led = { provider, auth, to, state, signal };
    if (byHand || loopback === undefined) await leadByHand(context, led);
    else await leadBrowser(context, { ...led, loopback });
  };
  const redirectUrl = loopback?.redirectUrl;
  const provider = new NewLogin({ grant, redirectUrl, clientId, clientSecret, lead });
  const { allowUnadvertisedPkce } = options;
  const auth = oauth(provider, {
    url,
    ...network,
    allowUnadvertisedPkce,
    ...(scope !== undefined && { scope }),
    ...(context.trace && { observe: context.trace.server(url.host).observe }),
  });
  try {
    terminal.showLive(`asking ${url.host} where to log in`);
    if (grant === 'device') {
      const onCode = (code: DeviceCode): void => showCode(context, code, provider.issuer);
      await orAborted(auth.authorizeDevice({ headers, onCode, signal }), signal);
    } else await orAborted(authorized(auth, headers, url), signal);
    const login = provider.whole({ url, target });
    if (login === undefined) throw new LoginError(`${url.host} gave no token`);
    const { tokens, client } = login.secrets;
    for (const secret of [client.client_secret, tokens?.access_token, tokens?.refresh_token]) {
      redactor.add(secret);
    }
    return { login, auth };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof LongwireError) || error.code !== 'unauthorized') throw error;
    if (error instanceof LoginError) throw error;
    throw new LoginError(sanitizeLine(whyOf(error)), { cause: error });
  } finally {
    clearTimeout(timer);
    terminal.stopLive();
  }
}

/** What a flow leads a person with. */
interface Led {
  provider: NewLogin;
  auth: OAuth;
  to: URL;
  state: string;
  signal: AbortSignal;
}

async function leadBrowser(
  context: Context,
  { provider, auth, to, state, signal, loopback }: Led & { loopback: Loopback },
): Promise<void> {
  const { terminal, env } = context;
  const { address, callback } = loopback.expect({ to, state });
  terminal.stopLive();
  terminal.instruct(
    `Open this in a browser on this machine, unless one opens by itself, to log in at ${issuerOf(provider, to)}:\n  ${address}`,
  );
  // The address of the authorization server is not among the words of a process, nor read by a shell.
  openBrowser(address, env);
  terminal.showLive('waiting for the browser');
  const { parameters, tell } = await orAborted(callback, signal);
  try {
    await auth.finish(parameters);
    tell({});
  } catch (error) {
    tell({ error: error instanceof LongwireError ? sanitizeLine(whyOf(error)) : 'It failed' });
    throw error;
  }
}

async function leadByHand(
  context: Context,
  { provider, auth, to, state, signal }: Led,
): Promise<void> {
  const { terminal } = context;
  terminal.stopLive();
  terminal.instruct(
    `Open this in any browser to log in at ${issuerOf(provider, to)}:\n\n  ${to.href}\n\nAt the end the browser shows a page that it cannot open. Paste the address of that page here:`,
  );
  const answer = await pastedAnswer(context, { state, signal });
  if (provider.sendsIssuer && answer.has('code') && !answer.has('iss')) {
    throw new LoginError(
      'a code alone is not enough, because this issuer says with each who it is: paste the whole address',
    );
  }
  await auth.finish(answer);
}

function showCode(
  { terminal }: Context,
  { userCode, verificationUrl, completeUrl }: DeviceCode,
  issuer: string | undefined,
): void {
  terminal.stopLive();
  const code = sanitizeLine(userCode, MAX_CODE_LENGTH);
  const shown = new URL(verificationUrl).href;
  const complete = completeUrl === undefined ? '' : `\nor open ${new URL(completeUrl).href}`;
  const where = sanitizeLine(issuer ?? new URL(verificationUrl).origin);
  terminal.instruct(`To log in at ${where}, open ${shown}\nand enter ${code}${complete}`);
  terminal.showLive('waiting until the code is entered');
}

/** The issuer is what the metadata say; without one, it is where the browser goes. */
function issuerOf({ issuer }: NewLogin, to: URL): string {
  return sanitizeLine(issuer ?? to.origin);
}

/** Answers the challenge, as the library does for a request. */
async function authorized(auth: OAuth, headers: Challenged['headers'], url: URL): Promise<void> {
  const request: OutgoingRequest = {
    method: 'POST',
    url,
    transport: 'streamable-http',
    attempt: 1,
    internal: true,
  };
  await auth.onChallenge(401, headers, request);
}

function whyOf({ summary }: LongwireError): string {
  return summary
    .replace(/^authorization failed: /, 'the login failed: ')
    .replace('`allowUnadvertisedPkce: true`', '--unadvertised-pkce');
}

function tooLate(waitMs: number): LongwireError {
  return new LongwireError(`nobody logged in within ${Math.round(waitMs / 1000)} seconds`, {
    code: 'timeout',
    certainty: 'not-sent',
  });
}
