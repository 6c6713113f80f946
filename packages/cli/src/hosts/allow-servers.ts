import { resolve } from 'node:path';
import { didYouMean } from '@longwire/client/internal';
import { configIn, configurationFor } from '../choose-servers.js';
import { usageError } from '../command-error.js';
import { configFileName } from '../configuration.js';
import type { Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { sanitizeLine } from '../sanitize.js';
import { Allowances } from './allowances.js';
import { lackedInputs } from './ask-inputs.js';
import { describeServer } from './consent.js';
import { hostFiles } from './host-files.js';

/**
 * Allows servers as they are now, and prints what that is. A mistake in one leaves all of them as they
 * were.
 */
export async function allowServers(context: Context, names: readonly string[]): Promise<ExitCode> {
  const { terminal, options } = context;
  refuseNamedFile(context, 'allow');
  const chosen = [];
  for (const name of new Set(names)) {
    let configuration = await configurationFor(name, context);
    const error = configuration.unusable.get(name);
    // What a person answers is no part of what is allowed.
    const inputs = error === undefined ? [] : lackedInputs(error);
    if (inputs.length > 0) {
      const answers = Object.fromEntries(inputs.map((id) => [id, 'x']));
      configuration = await configurationFor(name, context, answers);
    }
    chosen.push({ config: configIn(name, configuration), configuration });
  }
  const allowances = new Allowances(context);
  for (const { config, configuration } of chosen) {
    allowances.allow(config, configuration);
    if (options.json) continue;
    terminal.print(`Allowed as it is now: ${sanitizeLine(config.name)}`);
    // As it is: what is taken for a secret could hide a command.
    terminal.passOn(`${describeServer(config, configuration).join('\n')}\n`);
  }
  if (options.json) {
    terminal.json(
      chosen.map(({ config: { name }, configuration: { path } }) => ({
        name,
        source: path,
        allowed: true,
      })),
    );
  }
  return 0;
}

/** Takes back that servers are allowed; one that is no longer in its file, too. */
export function disallowServers(context: Context, names: readonly string[]): ExitCode {
  const { cwd, env, terminal, options } = context;
  refuseNamedFile(context, 'disallow');
  const allowances = new Allowances(context);
  const paths = [configFileName, ...hostFiles({ cwd, env }).map(({ path }) => path)].map((path) =>
    resolve(cwd, path),
  );
  const own = allowances.all().filter(({ path }) => paths.includes(path));
  const chosen = new Map(
    names.map((name) => [name, own.filter((allowance) => allowance.name === name)]),
  );
  for (const [name, found] of chosen) {
    if (found.length > 0) continue;
    const hint = didYouMean(
      name,
      own.map((allowance) => allowance.name),
    );
    throw usageError(`"${name}" is not allowed here.${hint}`, { code: 'config' });
  }
  for (const allowance of [...chosen.values()].flat()) allowances.disallow(allowance);
  if (options.json) terminal.json([...chosen.keys()].map((name) => ({ name, allowed: false })));
  else terminal.remark(sanitizeLine(`No longer allowed: ${[...chosen.keys()].join(', ')}`));
  return 0;
}

function refuseNamedFile({ options }: Context, what: string): void {
  if (options.configFile === undefined) return;
  throw usageError(
    `what --config names is used as it is: leave it out to ${what} servers of the files that are found`,
  );
}
