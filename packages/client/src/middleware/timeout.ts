import { checkGroup, checkPositive, MAX_TIMER_MS } from '../connection/options.js';
import { withoutIdentity, type Middleware } from '../connection/middleware.js';
import { LongwireError } from '../errors.js';
import { toolOf, toolTable } from './tools.js';

/** Options of {@link timeout}. */
export interface TimeoutOptions {
  /** How long a request may take that `tools` says nothing of, in milliseconds. Default: no limit. */
  defaultMs?: number;
  /**
   * How long a call may take, in milliseconds, by name of the tool or by pattern (`search_*`).
   * `Infinity`: no limit.
   */
  tools?: Readonly<Record<string, number>>;
}

/**
 * Limits how long a request takes as a whole, by tool. Progress does not make it longer; that the
 * client's own `timeoutMs` is for. A request that takes longer fails with the code `timeout`, and
 * the server is told. The connection's own requests have no limit here.
 *
 * @throws TypeError that names a wrong option.
 */
export function timeout(options: TimeoutOptions): Middleware {
  checkGroup('timeout', options, ['defaultMs', 'tools']);
  const { defaultMs = Infinity, tools } = options;
  checkPositive('timeout.defaultMs', defaultMs);
  const limitOf = toolTable('timeout.tools', tools, (name, value) => {
    checkPositive(name, value ?? Number.NaN);
  });

  return withoutIdentity(async (request, next) => {
    if (request.internal) return next();
    const tool = toolOf(request);
    const limitMs = (tool === undefined ? undefined : limitOf(tool)) ?? defaultMs;
    if (limitMs === Infinity) return next();
    const { onSent } = request;
    let isSent = false;
    request.onSent = () => {
      isSent = true;
      onSent?.();
    };
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<never>((_resolve, reject) => {
      const expire = (): void => {
        const error = tooLong(tool ?? request.method, limitMs, isSent);
        request.abort(error);
        reject(error);
      };
      timer = setTimeout(expire, Math.min(limitMs, MAX_TIMER_MS));
    });
    try {
      return await Promise.race([next(), expired]);
    } finally {
      clearTimeout(timer);
      request.onSent = onSent;
    }
  });
}

function tooLong(what: string, limitMs: number, isSent: boolean): LongwireError {
  const known = isSent
    ? 'it had been sent, so whether it ran is not known'
    : 'it had not been sent';
  return new LongwireError(`${what} did not end within ${limitMs} ms; ${known}`, {
    code: 'timeout',
    certainty: isSent ? 'outcome-unknown' : 'not-sent',
    hint: 'give it more time in the options of the middleware timeout',
  });
}
