import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { readTextFile, type FileReadError } from '@longwire/client/internal';
import type { Terminal } from './terminal.js';

/** The environment, the `.env` of the working directory included. */
export interface Environment {
  /** `MCP_SERVER_URL`. */
  serverUrl?: string;
  /** `MCP_API_KEY`. */
  apiKey?: string;
  /** `ANTHROPIC_API_KEY`. */
  anthropicApiKey?: string;
  /** `ANTHROPIC_AUTH_TOKEN`, which goes before the key. */
  anthropicAuthToken?: string;
  /** `ANTHROPIC_BASE_URL`. */
  anthropicBaseUrl?: string;
  /** `ANTHROPIC_MODEL`. */
  anthropicModel?: string;
  /** What was ignored, and why, by the variable that it is about. */
  warnings: { about: 'MCP_SERVER_URL' | 'ANTHROPIC_BASE_URL' | '.env'; message: string }[];
}

/**
 * Reads the variables that Longwire knows. `.env` never overrides a variable that is set, even if it is
 * empty. An address from `.env` is used only with the key from the same file: otherwise the author of
 * that file could have the user's own key sent to any address.
 */
export function readEnvironment(options: {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
}): Environment {
  const { env, cwd } = options;
  const warnings: Environment['warnings'] = [];
  const file = readDotEnv(cwd, warnings);
  const value = (name: string): string | undefined =>
    (name in env && env[name] !== undefined ? env[name] : file[name])?.trim() || undefined;
  const fromFile = (name: string): boolean =>
    env[name] === undefined && Boolean(file[name]?.trim());
  const address = (
    name: 'MCP_SERVER_URL' | 'ANTHROPIC_BASE_URL',
    keyName: string,
  ): string | undefined => {
    if (!fromFile(name) || fromFile(keyName)) return value(name);
    const message = `ignored ${name} of .env, because ${keyName} is not from the same file: put both there, or set ${name} in the environment`;
    warnings.push({ about: name, message });
    return undefined;
  };
  // Claude Code takes them in that order, too.
  const authToken = value('ANTHROPIC_AUTH_TOKEN');
  const credential = authToken === undefined ? 'ANTHROPIC_API_KEY' : 'ANTHROPIC_AUTH_TOKEN';
  return {
    ...defined('serverUrl', address('MCP_SERVER_URL', 'MCP_API_KEY')),
    ...defined('apiKey', value('MCP_API_KEY')),
    ...defined('anthropicApiKey', value('ANTHROPIC_API_KEY')),
    ...defined('anthropicAuthToken', authToken),
    ...defined('anthropicBaseUrl', address('ANTHROPIC_BASE_URL', credential)),
    ...defined('anthropicModel', value('ANTHROPIC_MODEL')),
    warnings,
  };
}

/** How to get Claude into a command. */
export const howToSetKey: string =
  'set ANTHROPIC_API_KEY to a key from https://console.anthropic.com';

/** Whether there is something to show to Claude's API. */
export function hasClaudeKey({ anthropicApiKey, anthropicAuthToken }: Environment): boolean {
  return (anthropicAuthToken ?? anthropicApiKey) !== undefined;
}

/** Warns of ignored variables that the command would have used. */
export function warnOfEnvironment(
  { environment, terminal }: { environment: Environment; terminal: Terminal },
  about: 'MCP_SERVER_URL' | 'ANTHROPIC_BASE_URL',
): void {
  for (const warning of environment.warnings) {
    if (warning.about !== about && warning.about !== '.env') continue;
    terminal.remark(terminal.remarkColors.yellow(`warning: ${warning.message}`));
  }
}

/** The `.env` of a directory; empty if there is none. */
export function readDotEnv(
  cwd: string,
  warnings: Environment['warnings'] = [],
): Readonly<Record<string, string | undefined>> {
  try {
    return parseEnv(readTextFile(join(cwd, '.env')));
  } catch (error) {
    const { code, message } = error as FileReadError;
    // A directory of that name is common for other uses.
    if (code !== 'ENOENT' && code !== 'EISDIR' && code !== 'ENOTDIR') {
      warnings.push({ about: '.env', message: `could not read .env: ${message}` });
    }
    return {};
  }
}

function defined<Name extends string>(
  name: Name,
  value: string | undefined,
): Partial<Record<Name, string>> {
  return value === undefined ? {} : ({ [name]: value } as Record<Name, string>);
}
