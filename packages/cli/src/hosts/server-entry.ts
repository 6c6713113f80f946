import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { isCredentialName } from '@longwire/client/internal';
import { usageError } from '../command-error.js';
import type { Context } from '../context.js';
import { isTarget, parseTarget } from '../target.js';

/** A server as a `longwire.json` has it. */
export interface Entry {
  url?: string;
  command?: string;
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  headers?: Readonly<Record<string, string>>;
  proxy?: string;
  [option: string]: unknown;
}

/** A shorter value may be a word that is no secret. */
const minSecretLength = 8;

/**
 * The server that the command line describes: a URL with the headers of `--header`, or the command after
 * `--` with the variables of `--env`. Values of credentials that are in the environment are written as
 * `${NAME}`.
 *
 * @throws LongwireError (usage) where it describes none, or two.
 */
export function entryOf(url: string | undefined, context: Context): Entry {
  const { options, command, env, cwd } = context;
  const { headers, variables, transport, protocol, directory, proxy, tls } = options;
  if ((options.timeoutMs ?? options.deadlineMs ?? options.profile) !== undefined) {
    throw usageError(
      '--timeout, --deadline and --profile are not written: add "timeouts" to the file by hand',
    );
  }
  if (url !== undefined && command !== undefined) {
    throw usageError('a URL and a command after -- are two servers: leave one of them out');
  }
  const named = (text: string): string => withVariables(text, env);
  const all = (values: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, named(value)]));
  const shared = {
    ...(transport !== undefined && { transport }),
    ...(protocol !== undefined && { protocol }),
  };
  if (command !== undefined) {
    if ((proxy ?? tls) !== undefined) {
      throw usageError(
        '--proxy, --ca, --cert and --key are for a URL, and not for a command after --',
      );
    }
    if (Object.keys(headers).length > 0) {
      throw usageError('--header is for a URL: a command after -- gets --env NAME=value');
    }
    const inherited = Object.entries(variables).map(([name, value]): [string, string] => [
      name,
      value === env[name] ? `\${${name}}` : named(value),
    ]);
    return {
      command: literal(command.command),
      // As it would run after --: nothing in it is a variable.
      ...(command.args !== undefined &&
        command.args.length > 0 && { args: command.args.map(literal).map(named) }),
      ...(inherited.length > 0 && { env: Object.fromEntries(inherited) }),
      ...(directory !== undefined && command.cwd !== cwd && { cwd: command.cwd ?? cwd }),
      ...shared,
    };
  }
  if (url === undefined) {
    throw usageError(
      'no server given: longwire servers add NAME URL, or longwire servers add NAME -- and the command that starts it',
    );
  }
  if (Object.keys(variables).length > 0) throw usageError('--env is for a command after --');
  // A variable may be all of the address.
  if (!isTarget(url) && !url.includes('${')) parseTarget(url);
  return {
    url: named(url),
    ...(Object.keys(headers).length > 0 && { headers: all(headers) }),
    ...(proxy !== undefined && { proxy: named(proxy) }),
    ...filesFrom(context),
    ...shared,
  };
}

/** The names of what an entry has credentials of in plain text. */
export function plainSecretsOf({ headers = {}, env = {}, proxy = '' }: Entry): string[] {
  const named = Object.entries({ ...headers, ...env })
    .filter(([name, value]) => isCredentialName(name) && !value.includes('${'))
    .map(([name]) => name);
  return /:[^/@]+@/.test(proxy) && !proxy.includes('${') ? [...named, 'proxy'] : named;
}

/** The files of certificates, by paths from the directory of the file that names them. */
function filesFrom({ options, cwd }: Context): Readonly<Record<string, string>> {
  const { tls = {}, configFile = '' } = options;
  const directory = dirname(resolve(cwd, configFile === '' ? 'longwire.json' : configFile));
  const from = (path: string): string =>
    isAbsolute(path) ? path : relative(directory, resolve(cwd, path));
  return Object.fromEntries(Object.entries(tls).map(([name, path]) => [name, literal(from(path))]));
}

/** A text in which no variable is meant. */
function literal(text: string): string {
  return text.replaceAll('${', () => '$${');
}

/** The same with `${NAME}` for every credential of the environment, which a shell may have put in. */
function withVariables(text: string, env: Context['env']): string {
  const secrets = Object.entries(env)
    .filter(([name, value = '']) => isCredentialName(name) && value.length >= minSecretLength)
    .toSorted(([, a = ''], [, b = '']) => b.length - a.length);
  let written = text;
  for (const [name, value = ''] of secrets) {
    written = written.replaceAll(value, () => `\${${name}}`);
  }
  return written;
}
