import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { userFolder } from '../user-folders.js';

type Variables = Readonly<Record<string, string | undefined>>;

/** Where logins are kept, a file each. It may not exist. */
export function loginDirectory(env: Variables): string {
  return join(userFolder('config', env), 'logins');
}

/** Whether there may be a login; all that a command without one asks. */
export function hasLogins(env: Variables): boolean {
  return existsSync(loginDirectory(env));
}
