import { LOG_LEVELS, type LoggingLevel } from '@longwire/client';

/** Whether a level is at least another one; one that is not known is not. */
export function isAtLeast(level: unknown, least: LoggingLevel): boolean {
  return LOG_LEVELS.indexOf(level as LoggingLevel) >= LOG_LEVELS.indexOf(least);
}
