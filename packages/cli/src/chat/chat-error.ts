import Anthropic from '@anthropic-ai/sdk';
import { LongwireError } from '@longwire/client';

/** Claude could not be asked; the message says why and what to do. */
export class ChatError extends LongwireError {
  override readonly name: string = 'ChatError';
}

/** What the SDK threw as an error of ours, so that exit codes and messages are as everywhere. */
export function asChatError(error: unknown): unknown {
  if (!(error instanceof Anthropic.APIError)) return error;
  const cause = error;
  if (error instanceof Anthropic.APIUserAbortError) {
    return new ChatError('interrupted', { code: 'aborted', certainty: 'outcome-unknown', cause });
  }
  if (error instanceof Anthropic.APIConnectionTimeoutError) {
    const message = 'Claude did not answer in time; ask again later';
    return new ChatError(message, { code: 'timeout', certainty: 'outcome-unknown', cause });
  }
  if (error instanceof Anthropic.APIConnectionError) {
    const message = `could not reach Claude: ${reasonOf(error)}; check the network and ANTHROPIC_BASE_URL`;
    return new ChatError(message, { code: 'connect-failed', certainty: 'not-sent', cause });
  }
  const status = typeof error.status === 'number' ? ` with ${error.status}` : '';
  const said = error.apiMessage ?? error.message;
  if (error.status === 401 || error.status === 403) {
    const message = `Claude refused ANTHROPIC_API_KEY${status}: ${said}; check the key`;
    const code = error.status === 401 ? 'unauthorized' : 'forbidden';
    return new ChatError(message, { code, certainty: 'refused', cause });
  }
  const hint = error.status === 404 ? '; check --model and ANTHROPIC_BASE_URL' : '';
  const message = `Claude answered${status}: ${said}${hint}`;
  return new ChatError(message, { code: 'server-error', certainty: 'answered', cause });
}

/** The innermost reason, which for a network error is the one that says something. */
function reasonOf(error: Error): string {
  let reason = error.message;
  let current: unknown = error.cause;
  for (let depth = 0; current instanceof Error && depth < 5; depth++) {
    reason = current.message || ('code' in current ? String(current.code) : reason);
    current = current.cause;
  }
  return reason;
}
