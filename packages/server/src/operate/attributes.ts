import type { Call, CallOutcome } from '../calls/call.js';
import * as names from './names.js';

/** Attributes of a span or of a metric. */
export type Attributes = Record<string, string | number>;

/** How a call failed, as attributes. */
export interface Failure {
  /** Without `error.type` where it is not the server's fault. */
  readonly attributes: Attributes;
  /** What the answer says. */
  readonly message: string | undefined;
}

/** What is the same for all that comes over HTTP. */
export const OVER_HTTP: Readonly<Attributes> = {
  [names.NETWORK_TRANSPORT]: 'tcp',
  [names.NETWORK_PROTOCOL]: 'http',
};

/** The version of HTTP, as the conventions write it: `2`, not `2.0`. */
export function httpVersionOf({ request }: Call): string | undefined {
  const version = request?.raw.httpVersion;
  return version === '2.0' ? '2' : version;
}

/**
 * What a server answers to a request that it cannot serve as it is. By the conventions that is an error of
 * the client, and none of the server.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/
 */
const NO_FAULT: ReadonlySet<number> = new Set([-32_700, -32_600, -32_601, -32_602, -32_002]);

/** How a call failed: `undefined` where it did not. */
export function failureOf(outcome: CallOutcome): Failure | undefined {
  switch (outcome.kind) {
    case 'result':
      if (outcome.result['isError'] !== true) return undefined;
      return failure('tool_error');
    case 'error': {
      const { code, message } = outcome.error;
      return failure(NO_FAULT.has(code) ? undefined : String(code), { code, message });
    }
    case 'refused': {
      const { status, code, message } = outcome.refusal;
      return failure(String(status), { code, message });
    }
    case 'cancelled':
      return failure('cancelled');
  }
}

function failure(type: string | undefined, error?: { code: number; message: string }): Failure {
  return {
    attributes: {
      ...(type !== undefined && { [names.ERROR_TYPE]: type }),
      ...(error !== undefined && { [names.ERROR_CODE]: String(error.code) }),
    },
    message: error?.message,
  };
}
