import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { ConfigError } from '@longwire/client';
import { isCredentialName } from '@longwire/client/internal';
import type { ServerConfig } from '@longwire/client/config';
import type { Context } from './context.js';
import { readDotEnv } from './environment.js';
import type { Redactor } from './redact.js';
import { sanitizeLine } from './sanitize.js';
import { writtenTarget } from './target.js';

/** The file that is read if none is named. */
export const configFileName = 'longwire.json';

/** The servers that have names. */
export interface Configuration {
  /** The file, as it is called in messages. */
  file: string;
  /** Whether the user named the file; otherwise it is in the working directory, by any author. */
  isNamed: boolean;
  /** Those that can be used, and those that are disabled. */
  servers: ReadonlyMap<string, ServerConfig>;
  /** Why the others cannot. */
  unusable: ReadonlyMap<string, ConfigError>;
}

/**
 * Reads the file of `--config`, else the `longwire.json` of the working directory; `undefined`
 * if there is none. The redactor knows its secrets from then on. Variables that are not in the
 * environment come from the `.env` beside the file only: otherwise the author of another directory
 * could decide where the tokens of the user's own file are sent.
 *
 * @throws LongwireError (code `config`) for a file with mistakes in it, or that cannot be read.
 */
export async function readConfiguration(context: Context): Promise<Configuration | undefined> {
  const { options, cwd, redactor, terminal } = context;
  const { configFile: file = configFileName } = options;
  const isNamed = options.configFile !== undefined;
  if (!isNamed && !existsSync(join(cwd, file))) return undefined;
  const { loadConfig } = await import('@longwire/client/config');
  const env = { ...readDotEnv(dirname(resolve(cwd, file))), ...context.env };
  const { profile = env['LONGWIRE_PROFILE']?.trim() || undefined } = options;
  const unusable = new Map<string, ConfigError>();
  const { servers, remarks } = loadConfig(file, {
    profile,
    env,
    cwd,
    onUnusable: (name, error) => unusable.set(name, error),
  });
  for (const server of servers) learnSecrets(server, { redactor, env });
  for (const remark of remarks) terminal.remarkOnce(sanitizeLine(remark));
  return { file, isNamed, unusable, servers: new Map(servers.map((each) => [each.name, each])) };
}

/** All names, in any order. */
export function namesIn({ servers, unusable }: Configuration): string[] {
  return [...servers.keys(), ...unusable.keys()];
}

function learnSecrets(
  { target, options, middleware, variables }: ServerConfig,
  { redactor, env }: { redactor: Redactor; env: Readonly<Record<string, string | undefined>> },
): void {
  for (const name of variables) if (isCredentialName(name)) redactor.add(env[name]);
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    redactor.addHeader(name, value);
  }
  for (const { options: written } of middleware) {
    for (const [name, value] of Object.entries(written)) {
      if (typeof value === 'string' && isCredentialName(name)) redactor.addHeader(name, value);
    }
  }
  if (typeof target === 'string') {
    if (URL.canParse(target)) redactor.addUrl(new URL(target));
    return;
  }
  for (const [name, value] of Object.entries(target.env ?? {})) redactor.addVariable(name, value);
  redactor.addCommand([target.command, ...(target.args ?? [])]);
}

/** A server's target on one line, to be shown. */
export function shownTarget({ target }: ServerConfig, redactor: Redactor): string {
  return redactor.message(writtenTarget(target));
}
