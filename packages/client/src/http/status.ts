/**
 * What an HTTP status says about the server, read once for every room.
 *
 * | statuses | meaning |
 * | --- | --- |
 * | 408, 425, 429 | the server asks for the same request later; it did not run |
 * | 503 | the same, but a proxy may say it, too |
 * | 502 to 504, 520 to 527 | a proxy in front of the server does not reach it |
 */
const LATER: ReadonlySet<number> = new Set([408, 425, 429]);

/** Whether the server itself asks for the same request later. */
export function asksForLater(status: number): boolean {
  return LATER.has(status);
}

/** Whether the request did not run and may succeed later, whoever says so. */
export function isNotNow(status: number): boolean {
  return status === 503 || LATER.has(status);
}

/** Whether a proxy in front of the server says that it does not reach the server. */
export function isGateway(status: number): boolean {
  return status >= 502 && (status <= 504 || (status >= 520 && status <= 527));
}

/** Whether nobody could answer now: the server asks for later, or fails. A 500 is an answer. */
export function isUnavailable(status: number): boolean {
  return LATER.has(status) || (status > 501 && status < 600);
}

/** The `Retry-After` header in milliseconds from now. */
export function retryAfterMs(value: string | string[] | undefined): number | undefined {
  if (typeof value !== 'string') return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
