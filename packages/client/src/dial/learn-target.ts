import type { Target } from './target.js';
import type { KnownSecrets } from '../secrets/known-secrets.js';

/** Learns the secrets of a target: user info and query of a URL; arguments and variables of a command. */
export function learnTarget(target: Target, secrets: KnownSecrets): void {
  if (target.kind === 'url') {
    secrets.addUrl(target.url);
    if (target.authorization !== undefined)
      secrets.addHeader('authorization', target.authorization);
  } else if (target.kind === 'command') {
    for (const [name, value] of Object.entries(target.env ?? {})) secrets.addVariable(name, value);
    secrets.addCommand([target.command, ...(target.args ?? [])]);
  }
}
