import { LongwireError } from '../errors.js';

/** The time limit of a probe. */
export interface Deadline {
  /** Aborted when the time is over. The reason says how long it was. */
  readonly signal: AbortSignal;
  /** Aborts the probe early. */
  cancel(reason: LongwireError): void;
  /** The probe has settled. */
  done(): void;
}

/** Limits a probe to so many milliseconds; `outer` may abort it before. */
export function startDeadline(outer: AbortSignal, ms: number, where: string): Deadline {
  const controller = new AbortController();
  const follow = (): void => controller.abort(outer.reason);
  outer.addEventListener('abort', follow, { once: true });
  if (outer.aborted) follow();
  const timer = setTimeout(() => controller.abort(noAnswer(where, ms)), Math.max(0, ms));
  return {
    signal: controller.signal,
    cancel: (reason) => controller.abort(reason),
    done: () => {
      clearTimeout(timer);
      outer.removeEventListener('abort', follow);
    },
  };
}

/** Nothing came in time. */
export function noAnswer(where: string, ms: number): LongwireError {
  return new LongwireError(`no MCP server answered at ${where} within ${Math.round(ms)} ms`, {
    code: 'connect-timeout',
    certainty: 'not-sent',
    hint: 'check that it is the right one, or raise timeouts.connectMs',
  });
}
