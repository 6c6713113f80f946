import { usageError } from './command-error.js';

/**
 * The number of a port, as `--port` has it.
 *
 * @throws LongwireError (usage) if it is none.
 */
export function readPort(word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  const port = /^\d{1,5}$/.test(word) ? Number(word) : NaN;
  if (port >= 0 && port <= 65_535) return port;
  throw usageError(`--port "${word}" is not a port: write a number up to 65535`);
}

/** What is said where `--port` cannot be listened on. */
export function portError(port: number, cause: unknown): Error {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reason = code === 'EADDRINUSE' ? 'something listens there already' : message;
  return usageError(`--port ${port} cannot be used: ${reason}`, { cause });
}
