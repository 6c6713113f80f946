import type { FastifyBaseLogger, FastifyRequest } from 'fastify';
import { hash } from 'node:crypto';
import type { MaybePromise } from '../principal.js';

/** Parameters of a query that are secrets, in small letters. */
const SECRETS: ReadonlySet<string> = new Set(['sessionid', 'session_id', 'resume']);

/**
 * Names a session in logs, spans and audits: the first 12 hexadecimal digits of the SHA-256 of its id.
 * The id itself is a secret.
 */
export function sessionDigest(sessionId: string): string {
  return hash('sha256', sessionId, 'hex').slice(0, 12);
}

/** A log whose lines name the session. */
export function sessionLog(log: FastifyBaseLogger, sessionId: string): FastifyBaseLogger {
  return log.child({ session: sessionDigest(sessionId) });
}

/** Says in a log that the event log of a session is full; once a session, by whoever keeps it. */
export function fullEventLog(log: FastifyBaseLogger | undefined): (sessionId: string) => void {
  const text =
    'the event log of a session is full: its oldest messages cannot be resumed (eventLog)';
  return (sessionId) => log?.info({ session: sessionDigest(sessionId) }, text);
}

/** Does what nobody waits for. What fails is logged, and must not end the process. */
export function inBackground(
  log: FastifyBaseLogger,
  failure: string,
  work: () => MaybePromise<void>,
): void {
  const fail = (error: unknown): void => log.error(error, failure);
  try {
    const done = work();
    if (done instanceof Promise) done.catch(fail);
  } catch (error) {
    fail(error);
  }
}

/** The serializer of a request for logs: ids of sessions and resume keys are left out of its address. */
export function requestForLog(request: FastifyRequest): Record<string, unknown> {
  return {
    method: request.method,
    url: withoutSecrets(request.url),
    host: request.host,
    remoteAddress: request.ip,
    remotePort: request.socket?.remotePort,
  };
}

/** An address in which the values of `sessionId`, `session_id` and `resume` are `[redacted]`. */
export function withoutSecrets(url: string): string {
  // A server with `useSemicolonDelimiter` begins its query with a semicolon.
  return url.replace(/([?&;])([^=&;#]*)=[^&;#]*/g, (all, separator: string, name: string) =>
    SECRETS.has(decoded(name).toLowerCase()) ? `${separator}${name}=[redacted]` : all,
  );
}

/** As a query parser reads it: `%73essionId` is `sessionId`. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    return name;
  }
}
