import { withoutIdentity, type Middleware } from './contract.js';
import { CERTAINTY_TEXT } from '../certainty-text.js';
import { LongwireError } from '../errors.js';
import { toolOf, toolTable } from './tools.js';
import { checkPositive, MAX_TIMER_MS } from '../options/checks.js';
import { checkOptions, withDefaults, type OptionTable } from '../options/option.js';

/** Options of {@link timeout}. */
export interface TimeoutOptions {
  /** How long a request may take that is not in `tools`, in milliseconds. Default `Infinity`. */
  defaultMs?: number;
  /**
   * How long a call may take, in milliseconds, by name of the tool or by pattern (`search_*`).
   * `Infinity`: no limit.
   */
  tools?: Readonly<Record<string, number>>;
}

/** Every option of a timeout. */
export const TIMEOUT: OptionTable<TimeoutOptions, 'defaultMs'> = {
  defaultMs: { kind: 'duration', default: Infinity },
  tools: { kind: 'other' },
};

/**
 * Limits how long a request takes as a whole, by tool. Progress does not extend it, unlike the
 * client's own `timeoutMs`. A request that takes longer fails with the code `timeout`, and the
 * server gets a cancellation. The connection's own requests have no limit here.
 *
 * @throws TypeError that names a wrong option.
 */
export function timeout(options: TimeoutOptions): Middleware {
  checkOptions(options, TIMEOUT, 'timeout');
  const { defaultMs, tools } = withDefaults(TIMEOUT, options);
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
  const certainty = isSent ? 'outcome-unknown' : 'not-sent';
  const summary = `${what} did not end within ${limitMs} ms; ${CERTAINTY_TEXT[certainty]}`;
  return new LongwireError(summary, {
    code: 'timeout',
    certainty,
    hint: 'give it more time in the options of the middleware timeout',
  });
}
