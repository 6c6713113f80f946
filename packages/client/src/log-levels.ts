import type { LoggingLevel } from '@modelcontextprotocol/client';

/** The levels of log messages, the lowest first. */
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
