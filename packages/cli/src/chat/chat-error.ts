import Anthropic from '@anthropic-ai/sdk';
import { networkAdvice, networkReason, ProxyError } from '@longwire/client/internal';
import { CommandError } from '../command-error.js';

/** The codes of a certificate that cannot be verified. */
const CERTIFICATE = /SELF_SIGNED|^UNABLE_TO_|^CERT_/;

/**
 * Converts an error of the SDK to one of ours, for the same exit codes and messages as everywhere.
 * `credential` is the variable whose value was sent to the API.
 */
export function asChatError(error: unknown, credential = 'ANTHROPIC_API_KEY'): unknown {
  const cause = error;
  if (error instanceof Anthropic.APIUserAbortError) {
    return new CommandError('interrupted', {
      code: 'aborted',
      certainty: 'outcome-unknown',
      cause,
    });
  }
  if (error instanceof Anthropic.APIConnectionTimeoutError) {
    const message = 'Claude did not answer in time; try again later';
    return new CommandError(message, { code: 'timeout', certainty: 'outcome-unknown', cause });
  }
  if (error instanceof Anthropic.APIConnectionError) {
    const { reason, advice = 'check the network and ANTHROPIC_BASE_URL' } = networkFailure(error);
    const message = `could not reach Claude: ${reason}; ${advice}`;
    return new CommandError(message, { code: 'connect-failed', certainty: 'not-sent', cause });
  }
  if (error instanceof Anthropic.APIError) return rejection(error, credential);
  if (error instanceof Anthropic.AnthropicError || isBrokenStream(error)) {
    const message = `the answer of Claude ended early: ${reasonOf(error)}; ask again`;
    return new CommandError(message, {
      code: 'connection-lost',
      certainty: 'outcome-unknown',
      cause,
    });
  }
  return error;
}

/** The API answered with an error. */
function rejection(
  error: InstanceType<typeof Anthropic.APIError>,
  credential: string,
): CommandError {
  const { status } = error;
  const withStatus = typeof status === 'number' ? ` with ${status}` : '';
  const said = error.apiMessage ?? error.message;
  if (status === 401 || status === 403) {
    const message = `Claude refused ${credential}${withStatus}: ${said}; check the key`;
    const code = status === 401 ? 'unauthorized' : 'forbidden';
    return new CommandError(message, { code, certainty: 'refused', cause: error });
  }
  const hint = hintFor(status, `${error.type ?? ''} ${said}`);
  const message = [`Claude answered${withStatus}: ${said}`, hint].filter(Boolean).join('; ');
  return new CommandError(message, { code: 'server-error', certainty: 'answered', cause: error });
}

function hintFor(status: number | undefined, said: string): string | undefined {
  if (/prompt is too long|request_too_large/i.test(said) || status === 413) {
    return 'the conversation is too long: /reset starts anew';
  }
  if (/credit balance/i.test(said)) return 'add credit at https://console.anthropic.com';
  if (status === 404) return 'check --model and ANTHROPIC_BASE_URL';
  const isBusy = status === 429 || (status ?? 0) >= 500;
  return isBusy || /overloaded|rate_limit|api_error/.test(said) ? 'try again later' : undefined;
}

/** What `fetch` throws when a body ends too early: a `TypeError`, often of the one word `terminated`. */
function isBrokenStream(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
  return error.message === 'terminated' || /^(?:UND_ERR_|ECONN|EPIPE)/.test(code ?? '');
}

/** Why there was no connection, and what to do where the proxy or a certificate is the matter. */
function networkFailure(error: Error): { reason: string; advice?: string | undefined } {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; depth++) {
    const isProxy = at instanceof ProxyError;
    const { code } = at as NodeJS.ErrnoException;
    if (isProxy || (code !== undefined && CERTIFICATE.test(code))) {
      const url = new URL('https://api.anthropic.com');
      return { reason: networkReason(at, url), advice: networkAdvice(at, url) };
    }
    at = at.cause;
  }
  return { reason: reasonOf(error) };
}

/** The innermost reason, which for a network error is the useful one. */
function reasonOf(error: Error): string {
  let reason = error.message;
  let current: unknown = error.cause;
  for (let depth = 0; current instanceof Error && depth < 5; depth++) {
    reason = current.message || ('code' in current ? String(current.code) : reason);
    current = current.cause;
  }
  return reason;
}
