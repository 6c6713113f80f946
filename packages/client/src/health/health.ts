import type { RequestContext } from '../connection/request-context.js';
import type { ReconnectingTransport } from '../connection/transport.js';
import type { ConnectionState } from '../connection/state.js';
import { LongwireError } from '../errors.js';
import type { RecentCalls, Tally } from './tally.js';
import { checkOptionNames, checkPositive, MAX_TIMER_MS } from '../options/checks.js';

/** How long a check may take, and from which latency on a server is slow, in milliseconds. */
export const HEALTH_DEFAULTS: { timeoutMs: number; slowMs: number } = {
  timeoutMs: 5000,
  slowMs: 1000,
};
/** For how long a failure counts. */
const RECENT_MS = 60_000;
/** Fewer calls say nothing. */
const MIN_RECENT_CALLS = 5;

/** Options of a health check. */
export interface HealthOptions {
  /** How long the server may take to answer, in milliseconds; then it is `down`. Default 5000. */
  timeoutMs?: number;
  /** From which latency on it is `degraded`, in milliseconds. Default 1000. */
  slowMs?: number;
  /** Ends the check early: it is rejected with code `aborted`. */
  signal?: AbortSignal;
}

/**
 * How a server is.
 *
 * - `healthy`: it answers.
 * - `degraded`: it answers, but one of these holds:
 *   - it takes longer than `slowMs`;
 *   - the connection was lost and restored three times within the last minute;
 *   - more than half of the latest 20 calls, of at least 5, failed, the last of them within the last
 *     minute. What counts: connecting failed, the connection was lost, an answer of 5xx, an internal
 *     error (-32603), an answer that breaks the protocol, no answer within the limits that the client has
 *     for every call. What a tool or the program causes does not count: an error that a tool itself
 *     reports, an aborted call, a call over a limit of its own (`timeoutMs`, `deadlineMs`), wrong names,
 *     arguments or credentials, `queue-full` and the like.
 * - `down`: there is no connection, or no answer in time.
 */
export interface Health {
  status: 'healthy' | 'degraded' | 'down';
  /** Why it is not healthy. */
  reason?: string;
  /** How long the answer took, in milliseconds; `undefined` if there was none. */
  latencyMs: number | undefined;
  /** For how long there has been a connection, in milliseconds; 0 if there is none. */
  uptimeMs: number;
}

/**
 * Asks a server whether it is there.
 *
 * @throws LongwireError `aborted`; TypeError that names an option.
 */
export async function checkHealth(
  connection: ReconnectingTransport | undefined,
  tally: Tally,
  options: HealthOptions,
): Promise<Health> {
  checkHealthOptions(options);
  const { timeoutMs, slowMs } = { ...HEALTH_DEFAULTS, ...options };
  const { signal } = options;
  if (signal?.aborted === true) throw abortedError(signal, 'not-sent');
  if (connection?.state.name !== 'ready' || connection.isClosing) {
    return down(whyNotReady(connection?.state), tally);
  }
  const startedAt = performance.now();
  try {
    await ask(connection, timeoutMs, signal);
  } catch (error) {
    if (!(error instanceof LongwireError) || error.code === 'aborted') throw error;
    return down(error.summary, tally);
  }
  const latencyMs = performance.now() - startedAt;
  const reason = complaintsOf(latencyMs, slowMs, tally).join('; ');
  const { uptimeMs } = tally;
  return reason === ''
    ? { status: 'healthy', latencyMs, uptimeMs }
    : { status: 'degraded', reason, latencyMs, uptimeMs };
}

/**
 * Checks the options of a health check.
 *
 * @throws TypeError that names the option.
 */
export function checkHealthOptions(options: HealthOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError('options: not an object');
  }
  checkOptionNames(options, ['timeoutMs', 'slowMs', 'signal']);
  checkPositive('timeoutMs', options.timeoutMs);
  checkPositive('slowMs', options.slowMs);
  if (options.signal !== undefined && typeof options.signal?.addEventListener !== 'function') {
    throw new TypeError('signal: not an AbortSignal');
  }
}

/** Fulfilled by whatever the server answers; rejected with why it did not. */
async function ask(
  connection: ReconnectingTransport,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const method = connection.era === 'modern' ? 'server/discover' : 'ping';
  const context: RequestContext = { certainty: 'not-sent', internal: true };
  const late = (): LongwireError =>
    new LongwireError(`the server did not answer ${method} within ${timeoutMs} ms`, {
      code: 'timeout',
      certainty: context.certainty,
    });
  const timer = setTimeout(
    () => connection.cancel(context, late()),
    Math.min(timeoutMs, MAX_TIMER_MS),
  );
  const onAbort = (): void => {
    connection.cancel(context, abortedError(signal, context.certainty));
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await connection.request({ method }, context);
  } catch (error) {
    if (!(error instanceof LongwireError) || error.certainty !== 'answered') throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

function abortedError(
  signal: AbortSignal | undefined,
  certainty: LongwireError['certainty'],
): LongwireError {
  return new LongwireError('the health check was aborted', {
    code: 'aborted',
    certainty,
    cause: signal?.reason,
  });
}

function down(reason: string, { uptimeMs }: Tally): Health {
  return { status: 'down', reason, latencyMs: undefined, uptimeMs };
}

function whyNotReady(state: ConnectionState = { name: 'idle' }): string {
  switch (state.name) {
    case 'idle':
      return 'nothing was asked of the server yet, so there is no connection';
    case 'connecting':
      return 'the connection is being made';
    case 'reconnecting':
      return `the connection was lost, and reconnects: ${state.reason.summary}`;
    case 'resting':
      return `the connection was lost, and is dialled on the next call: ${state.reason.summary}`;
    case 'ready':
    case 'closed':
      return 'the client was closed';
  }
}

function complaintsOf(latencyMs: number, slowMs: number, tally: Tally): string[] {
  const complaints: string[] = [];
  const { recent, thirdLastReconnectAt } = tally;
  if (latencyMs > slowMs) complaints.push(`it took ${Math.round(latencyMs)} ms to answer`);
  if (isRecent(thirdLastReconnectAt)) {
    const seconds = Math.round((Date.now() - thirdLastReconnectAt) / 1000);
    complaints.push(`the connection was lost and restored three times within ${seconds} s`);
  }
  if (failsOften(recent)) {
    complaints.push(`${recent.failed} of the latest ${recent.calls} calls failed`);
  }
  return complaints;
}

function failsOften({ calls, failed, lastFailedAt }: RecentCalls): boolean {
  return calls >= MIN_RECENT_CALLS && failed > calls / 2 && isRecent(lastFailedAt);
}

function isRecent(at: number): boolean {
  return Date.now() - at < RECENT_MS;
}
