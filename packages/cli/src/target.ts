import type { CommandTarget, ConfigError } from '@longwire/client';
import type { ServerConfig } from '@longwire/client/config';
import { usageError } from './command-error.js';
import { commandBelongsAfter, isLauncher } from './launchers.js';

/** A server as the command line names it: its URL, or the command that starts it. */
export type Target = string | CommandTarget;

/** A server that a command is about. */
export interface Server {
  target: Target;
  /** Its configuration, if a file names it. */
  config?: ServerConfig;
}

/** A server that has a name. */
export type NamedServer = Server & { config: ServerConfig };

/** What `@all` stands for. */
export interface AllServers {
  file: string;
  servers: NamedServer[];
  /** Servers that cannot be used, and why. */
  unusable: ReadonlyMap<string, ConfigError>;
  /** Servers that are left out because nobody named them or the file, and why. */
  skipped: ReadonlyMap<string, string>;
}

/** Whether a word of the command line names a server: it is one if it is a URL. */
export function isTarget(word: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(word);
}

/**
 * The URL of a target.
 *
 * @throws LongwireError (usage) that says what a target looks like. `source` is where it was read.
 */
export function parseTarget(word: string, source: string = 'target'): URL {
  const url = URL.canParse(word) ? new URL(word) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  const shown = withoutUserInfo(word);
  if (isTarget(word)) {
    const reason = url === undefined ? 'is not a valid URL' : 'is neither http:// nor https://';
    throw usageError(`${source} "${shown}" ${reason}`, { code: 'config' });
  }
  const hint = isLauncher(word)
    ? commandBelongsAfter(shown)
    : looksLikeAddress(word)
      ? `it lacks the scheme: write http://${shown}`
      : 'write a URL such as http://127.0.0.1:3001/sse, or a name that `longwire servers` lists';
  throw usageError(`${source} "${shown}" is not a server: ${hint}`, { code: 'config' });
}

/** Whether a word is an address that lacks only its scheme, such as `127.0.0.1:3001/sse`. */
export function looksLikeAddress(word: string): boolean {
  const address = withoutUserInfo(word);
  return (
    /^(?:[\w.-]+|\[[\da-f:]+\]):\d{1,5}(?:\/|$)/i.test(address) ||
    /^(?:localhost|\d{1,3}(?:\.\d{1,3}){3})(?:\/|$)/i.test(address)
  );
}

/** A target as it was written, on one line, with its secrets. */
export function writtenTarget(target: Target): string {
  if (typeof target === 'string') return target;
  const { command, args = [] } = target;
  return [command, ...args].map(quoted).join(' ');
}

/** The name of a single server: its host, or its program. */
export function nameOf(target: Target): string {
  if (typeof target === 'string') return new URL(target).host;
  return /[^/\\]*$/.exec(target.command)?.[0] || target.command;
}

/**
 * A unique name for each server: the given name; its host, with the path if needed; its program. The
 * server does not choose it, because the user approves calls by it.
 */
export function serverNames(
  targets: readonly Target[],
  given: readonly (string | undefined)[] = [],
): string[] {
  const short = targets.map((target, index) => given[index] ?? nameOf(target));
  const names = targets.map((target, index) => {
    const name = short[index] ?? '';
    const isEnough = short.filter((other) => other === name).length === 1;
    if (isEnough || given[index] !== undefined || typeof target !== 'string') return name;
    return `${name}${new URL(target).pathname}`;
  });
  return names.map((name, index) => {
    const earlier = names.slice(0, index).filter((other) => other === name).length;
    return earlier === 0 ? name : `${name}#${earlier + 1}`;
  });
}

/** A word that a shell would take apart, in quotes. */
function quoted(word: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(word) ? word : JSON.stringify(word);
}

/** User information may be a password, and may be wrong: up to the last `@`. */
function withoutUserInfo(word: string): string {
  return word.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1');
}
