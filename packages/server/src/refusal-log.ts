import type { FastifyRequest } from 'fastify';

/** What the log says of a refusal, beside its status. Nothing of it is shown to the client. */
export interface RefusalCause {
  /** Why, in a few words and without secrets. */
  readonly reason: string;
  /** `info` where honest clients come by, such as a first request without a token. Default: `warn`. */
  readonly level?: 'info' | 'warn' | 'error';
  /** More of the request, without secrets. */
  readonly [detail: string]: unknown;
}

/** Requests whose refusal has its line. */
const logged = new WeakSet<FastifyRequest>();

/**
 * Writes the one log line of a refusal, so that an attack is seen: who knows the cause writes it before
 * the answer does. The request's log adds the request's id. Its address is what Fastify says, with
 * `trustProxy` the client's.
 */
export function logRefusal(
  request: FastifyRequest,
  { status }: { readonly status: number },
  { level = 'warn', ...details }: RefusalCause,
): void {
  if (logged.has(request)) return;
  logged.add(request);
  request.log[level]({ status, ...details, address: request.ip }, 'request refused');
}
