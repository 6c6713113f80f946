import type { ServerConfig } from '@longwire/client/config';
import { isCredentialName, MASK } from '@longwire/client/internal';
import { usageError } from '../command-error.js';
import type { Configuration } from '../configuration.js';
import type { Context } from '../context.js';
import { isJsonObject } from '../json-object.js';
import { askWord } from '../question-desk.js';
import { Redactor } from '../redact.js';
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

/**
 * Asks at a terminal whether servers may be used as they are now, and remembers it; `false` where nobody
 * can be asked.
 */
export async function askToAllow(context: Context, found: readonly Found[]): Promise<boolean> {
  const { terminal, stdin, interruptions } = context;
  if (found.length === 0 || !terminal.canAsk(stdin)) return false;
  const { signal } = interruptions;
  const names = found.map(({ config }) => visibleJson(config.name)).join(', ');
  const lines = found.flatMap(({ config, configuration }) => [
    visibleJson(config.name),
    ...describeServer(config, configuration),
  ]);
  try {
    const answer = await terminal.converse({ stdin, signal }, async (desk) => {
      // As it is: what is taken for a secret could hide a command.
      desk.newContext().output.write(lines.map((line) => `${line}\n`).join(''));
      return await askWord(desk, `Allow ${names} as shown, from now on? (y)es, (N)o`, {
        lines: [],
        answers,
      });
    });
    if (answer !== 'yes') return false;
  } catch (error) {
    if (error instanceof Error && error.name === 'ExitPromptError') interruptions.interrupt();
    signal.throwIfAborted();
    throw error;
  }
  const allowances = new Allowances(context);
  for (const { config, configuration } of found) allowances.allow(config, configuration);
  return true;
}

/**
 * Refuses a server of another program that a file names, and not the command line, if it was not allowed.
 *
 * @throws LongwireError (code `config`)
 */
export function requireAllowed(context: Context, { config, configuration }: Found): void {
  const standing = new Allowances(context).standingOf(config, configuration);
  if (standing === 'allowed') return;
  const name = shellWord(config.name);
  throw usageError(
    `${visibleJson(config.name)} is named by a file, and was not allowed as it is: longwire servers allow ${name}`,
    { code: 'config' },
  );
}

/**
 * Everything that the file says of a server, a line for each part, invisible characters included: what is
 * started or reached, and what it is given. `${NAME}` is a variable. Only values of credentials in `env`
 * and `headers` are masked, which no program is made of.
 */
export function describeServer(config: ServerConfig, configuration: Configuration): string[] {
  const { written, place, variables } = config;
  const parts = isJsonObject(written) ? Object.entries(written) : [];
  const beside = ownValuesOf(config, configuration);
  const { env: _env, headers: _headers, ...rest } = isJsonObject(written) ? written : {};
  const isMore = (name: string): boolean => JSON.stringify(rest).includes(name);
  const others = Object.entries(variablesOf(config));
  const own = variables.filter((name) => !Object.hasOwn(beside, name));
  return [
    `  ${visibleJson(place)}`,
    ...parts.map(
      ([key, value]) => `  ${visibleJson(key)}: ${cut(visibleJson(shownPart(key, value)))}`,
    ),
    ...Object.entries(beside).map(([name, value]) => {
      const shown = isMore(name) ? value : maskedValue(name, value);
      return `  \${${name}} is ${cut(visibleJson(shown))}, of its .env`;
    }),
    ...others.map(
      ([name, value]) => `  ${visibleJson(name)}: ${cut(visibleJson(maskedValue(name, value)))}`,
    ),
    ...(own.length > 0 ? [`  it is given your ${visibleJson(own)}`] : []),
  ];
}

function shownPart(key: string, value: unknown): unknown {
  if (key === 'passphrase') return String(value).includes('${') ? value : MASK;
  if (key === 'url' || key === 'serverUrl' || key === 'httpUrl' || key === 'proxy') {
    // Values of its query, and a password, by their form alone.
    return new Redactor().message(String(value));
  }
  if ((key !== 'env' && key !== 'headers') || !isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, maskedValue(name, each)]),
  );
}

/** A credential is masked, a variable is not. */
function maskedValue(name: string, value: unknown): unknown {
  const isOpen = typeof value !== 'string' || value.includes('${');
  return isOpen || !isCredentialName(name) ? value : MASK;
}

function cut(text: string): string {
  return text.length <= maxShown
    ? text
    : `${text.slice(0, maxShown)}… and ${text.length - maxShown} characters more, which are in the file`;
}
