import type { LoggingLevel } from '@longwire/client';

/** The levels of log messages, the least first. */
export const LOG_LEVELS: readonly LoggingLevel[] = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
];

/** Whether a level is at least another one; one that is not known is not. */
export function isAtLeast(level: unknown, least: LoggingLevel): boolean {
  return LOG_LEVELS.indexOf(level as LoggingLevel) >= LOG_LEVELS.indexOf(least);
}
