import type { ServerConfig } from '@longwire/client/config';
import { ask } from '../ask.js';
import { usageError } from '../command-error.js';
import type { Configuration } from '../configuration.js';
import type { Context } from '../context.js';
import { isJsonObject } from '../json-object.js';
import { visibleJson } from '../sanitize.js';
import { shellWord } from '../shell-word.js';
import { Allowances, ownValuesOf, variablesOf } from './allowances.js';

/** The answers and their words; an empty line means the last one. */
const answers = { yes: ['y', 'yes'], no: ['n', 'no'] } as const;

/** A longer text could push the question out of view. */
const maxShown = 4000;

/**
 * Lets a server that the command line names be used. Naming it is enough, unless it was allowed and has
 * changed since: then a person is asked, and sees all of it.
 *
 * @throws LongwireError (code `config`) where it changed, and nobody said that it may be used.
 */
export async function requireUnchanged(
  context: Context,
  config: ServerConfig,
  configuration: Configuration,
): Promise<void> {
  if (configuration.isNamed) return;
  const allowances = new Allowances(context);
  if (allowances.standingOf(config, configuration) !== 'changed') return;
  const shown = visibleJson(config.name);
  const changed = `${shown} of ${configuration.file} has changed since it was allowed`;
  if (context.terminal.canAsk(context.stdin)) context.terminal.remark(`${changed}:`);
  if (await askToAllow(context, [{ config, configuration }])) return;
  throw usageError(`${changed}: longwire servers allow ${shellWord(config.name)}`, {
    code: 'config',
  });
}

/** A server, and the configuration that has it. */
export interface Found {
  config: ServerConfig;
  configuration: Configuration;
}

/** Asks at a terminal whether servers may be used as they are now; `false` where nobody can be asked. */
export async function askToAllow(context: Context, found: readonly Found[]): Promise<boolean> {
  const { terminal, stdin, interruptions } = context;
  if (found.length === 0 || !terminal.canAsk(stdin)) return false;
  const names = found.map(({ config }) => visibleJson(config.name)).join(', ');
  const answer = await ask(context, `Allow ${names} as shown, from now on? (y)es, (N)o`, {
    lines: found.flatMap(({ config, configuration }) => [
      visibleJson(config.name),
      ...describeServer(config, configuration),
    ]),
    answers,
    signal: interruptions.signal,
  });
  interruptions.signal.throwIfAborted();
  if (answer !== 'yes') return false;
  const allowances = new Allowances(context);
  for (const { config, configuration } of found) allowances.allow(config, configuration);
  return true;
}

/**
 * Everything that the file says of a server, a line for each part, invisible characters included: what is
 * started or reached, and what it is given. `${NAME}` is a variable of the user's.
 */
export function describeServer(config: ServerConfig, configuration: Configuration): string[] {
  const { written, place, variables } = config;
  const parts = isJsonObject(written) ? Object.entries(written) : [];
  const beside = Object.entries(ownValuesOf(config, configuration));
  const others = Object.entries(variablesOf(config));
  const own = variables.filter((name) => !beside.some(([other]) => other === name));
  return [
    `  ${visibleJson(place)}`,
    ...parts.map(([key, value]) => `  ${visibleJson(key)}: ${cut(visibleJson(value))}`),
    ...beside.map(([name, value]) => `  \${${name}} is ${cut(visibleJson(value))}, of its .env`),
    ...others.map(([name, value]) => `  ${visibleJson(name)}: ${cut(visibleJson(value))}`),
    ...(own.length > 0 ? [`  it is given your ${visibleJson(own)}`] : []),
  ];
}

function cut(text: string): string {
  return text.length <= maxShown
    ? text
    : `${text.slice(0, maxShown)}… and ${text.length - maxShown} characters more, which are in the file`;
}
