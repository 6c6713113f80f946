import { rm } from 'node:fs/promises';

/**
 * Removes a folder with all that is in it, if it is there. Programs that ran in it may still be writing
 * as they end (a browser writes its profile), so it tries again for a few seconds.
 */
export function removeFolder(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true, maxRetries: 12, retryDelay: 50 });
}
