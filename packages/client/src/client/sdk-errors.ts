import { ProtocolError, SdkError } from '@modelcontextprotocol/client';
import type { CallMark } from '../connection/call-mark.js';
import { LongwireError, ServerError } from '../errors.js';

/** Makes a LongwireError of whatever the SDK's `Client` rejected a request with. */
export function fromSdkError(error: unknown, what: string, mark: CallMark): LongwireError {
  // What the connection rejected comes through unchanged.
  if (error instanceof LongwireError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ProtocolError && mark.answer !== 'result') {
    return new ServerError(`the server answered ${what} with an error: ${message}`, {
      number: error.code,
      data: error.data,
      cause: error,
    });
  }
  if (mark.answer === 'result' || error instanceof ProtocolError || error instanceof SdkError) {
    return new LongwireError(`the server's answer to ${what} breaks the protocol: ${message}`, {
      code: 'protocol',
      certainty: mark.certainty,
      cause: error,
    });
  }
  return new LongwireError(`${what} failed: ${message}`, {
    code: 'protocol',
    certainty: mark.certainty,
    cause: error,
  });
}
