import { checkHeaders } from '../http/headers.js';
import type { ClientOptions } from '../client/types.js';
import { LongwireError } from '../errors.js';
import { parseTarget } from '../dial/target.js';

/** A server as the environment names it. */
export interface EnvironmentConfig {
  /** Of `PREFIX_URL`. */
  target: string;
  /** What its client is made with. */
  options: Pick<ClientOptions, 'timeouts' | 'keepAlive'> & { headers?: Record<string, string> };
}

/**
 * Reads a server from the environment, by variables that begin with `prefix` and `_`:
 *
 * - `URL`: where it is; required.
 * - `TOKEN`: sent as `Authorization: Bearer`.
 * - `USER_AGENT`: sent as `User-Agent`.
 * - `TIMEOUT`: seconds, for `timeouts.connectMs` and `timeouts.callMs`.
 * - `KEEP_ALIVE`: `true`, `1`, `false` or `0`.
 * - `HEADERS`: a JSON object, or `Name: value` in lines. They override the headers of `TOKEN` and
 *   `USER_AGENT`.
 *
 * An empty variable counts as one that is not set.
 *
 * @throws LongwireError (code `config`) that names the variable, and shows no value.
 */
export function fromEnvironment(
  prefix: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): EnvironmentConfig {
  const nameOf = (name: string): string => `${prefix.replace(/_$/, '')}_${name}`;
  const read = <Value>(name: string, parse: (text: string) => Value): Value | undefined => {
    const text = env[nameOf(name)]?.trim();
    if (text === undefined || text === '') return undefined;
    try {
      return parse(text);
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      throw wrong(`${nameOf(name)}: ${cause.message.replace(/^headers: /, '')}`, cause);
    }
  };
  const target = read('URL', (text) => {
    parseTarget(text);
    return text;
  });
  if (target === undefined) {
    throw wrong(`${nameOf('URL')} is not set: set it to the URL of the server`);
  }
  const ms = read('TIMEOUT', parseSeconds);
  const keepAlive = read('KEEP_ALIVE', parseFlag);
  const headers = {
    ...read('TOKEN', (token) => checkHeaders({ authorization: `Bearer ${token}` })),
    ...read('USER_AGENT', (agent) => checkHeaders({ 'user-agent': agent })),
    ...read('HEADERS', parseHeaders),
  };
  return {
    target,
    options: {
      ...(Object.keys(headers).length > 0 && { headers }),
      ...(ms !== undefined && { timeouts: { connectMs: ms, callMs: ms } }),
      ...(keepAlive !== undefined && { keepAlive }),
    },
  };
}

function parseSeconds(text: string): number {
  const seconds = /^(?:\d+|\d*\.\d+)$/.test(text) ? Number(text) : 0;
  if (seconds > 0) return seconds * 1000;
  throw new TypeError('not a number of seconds above 0');
}

function parseFlag(text: string): boolean {
  const word = text.toLowerCase();
  if (word === 'true' || word === '1') return true;
  if (word === 'false' || word === '0') return false;
  throw new TypeError('none of true, 1, false, 0');
}

function parseHeaders(text: string): Record<string, string> {
  const headers = text.startsWith('{') ? jsonHeaders(text) : lineHeaders(text);
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string' && value.trim() === '') throw new TypeError(`${name} is empty`);
  }
  return checkHeaders(headers);
}

/** Checked by the caller to be strings. */
function jsonHeaders(text: string): Record<string, string> {
  try {
    return JSON.parse(text) as Record<string, string>;
  } catch {
    // Its message would show the text.
    throw new TypeError('begins like JSON and is none');
  }
}

function lineHeaders(text: string): Record<string, string> {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      if (colon < 1) throw new TypeError("neither a JSON object nor lines of 'Name: value'");
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    }),
  );
}

function wrong(message: string, cause?: unknown): LongwireError {
  const options = { code: 'config', certainty: 'not-sent' } as const;
  return new LongwireError(message, cause === undefined ? options : { ...options, cause });
}
