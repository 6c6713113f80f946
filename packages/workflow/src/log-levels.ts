import type { LoggingLevel } from '@longwire/client';
import { LOG_LEVELS } from '@longwire/client/internal';

/** Whether a level is at least another one; an unknown level is not. */
export function isAtLeast(level: unknown, least: LoggingLevel): boolean {
  return LOG_LEVELS.indexOf(level as LoggingLevel) >= LOG_LEVELS.indexOf(least);
}
