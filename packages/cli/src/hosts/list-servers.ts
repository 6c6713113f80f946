import type { ConfigError } from '@longwire/client';
import { readConfiguration, shownTarget, type Configuration } from '../configuration.js';
import { usageError } from '../command-error.js';
import type { Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { summaryOf } from '../report-error.js';
import { sanitizeLine } from '../sanitize.js';
import { renderTable } from '../table.js';
import { Allowances, type Standing } from './allowances.js';
import { readHostServers, shownPath } from './host-servers.js';

/** A server that has a name, as `--json` prints it. */
interface ListedServer {
  name: string;
  target: string | null;
  transport: string | null;
  /** The file that names it. */
  source: string;
  /** Whether `@all` takes it, without the file being named. */
  allowed: boolean;
  /** Whether it was allowed, and has changed since. */
  changed: boolean;
  disabled: boolean;
  error: string | null;
  /** The variables that it lacks, if it lacks nothing else: `NAME`, or `input:ID`. */
  needs: string[];
}

/**
 * Prints the servers that have a name: of the `longwire.json` here, and of other programs; with
 * `--config`, of that file alone.
 */
export async function listServers(context: Context): Promise<ExitCode> {
  const { terminal, options } = context;
  const configurations = await readAll(context);
  const allowances = new Allowances(context);
  const listed = configurations.flatMap((each) => listedIn(each, context, allowances));
  if (options.json) {
    terminal.json(listed);
    return 0;
  }
  if (listed.length === 0) {
    const files = configurations.map(({ path }) => shownPath(path, context)).join(', ');
    terminal.remark(`${files} ${configurations.length === 1 ? 'has' : 'have'} no servers.`);
    return 0;
  }
  const isNamed = options.configFile !== undefined;
  const rows = listed.map((server) => [
    sanitizeLine(server.name),
    sanitizeLine(server.target ?? ''),
    shownPath(server.source, context),
    stateOf(server, isNamed),
  ]);
  terminal.print(renderTable(['server', 'target', 'source', ''], rows, terminal));
  if (!isNamed && listed.some(({ allowed, disabled, error }) => !allowed && !disabled && !error)) {
    terminal.remark(
      'What is not allowed is used only where its name is written: longwire servers allow NAME',
    );
  }
  return 0;
}

async function readAll(context: Context): Promise<Configuration[]> {
  const { options, terminal, redactor } = context;
  if (options.configFile !== undefined) {
    const named = await readConfiguration(context);
    return named === undefined ? [] : [named];
  }
  const { configurations, unreadable } = await readHostServers(context);
  let own: Configuration | undefined;
  try {
    own = await readConfiguration(context);
  } catch (error) {
    if (configurations.length === 0) throw error;
    unreadable.unshift({ file: 'longwire.json', reason: summaryOf(error) });
  }
  for (const { file, reason } of unreadable) {
    terminal.remark(redactor.message(sanitizeLine(`${file} is left out: ${reason}`)));
  }
  const all = own === undefined ? configurations : [own, ...configurations];
  if (all.length === 0 && unreadable.length === 0) {
    throw usageError(
      'there is no longwire.json here, and no file of another program: longwire servers add writes one, --config names one',
      { code: 'config' },
    );
  }
  return all;
}

function listedIn(
  configuration: Configuration,
  { redactor }: Context,
  allowances: Allowances,
): ListedServer[] {
  const { path: source, servers, unusable, isNamed } = configuration;
  return [
    ...[...servers.values()].map((config): ListedServer => {
      const standing: Standing = isNamed ? 'allowed' : allowances.standingOf(config, configuration);
      const { name, target, options, disabled } = config;
      return {
        name,
        target: shownTarget(config, redactor),
        transport: typeof target === 'string' ? (options.transport ?? null) : 'stdio',
        source,
        allowed: standing === 'allowed',
        changed: standing === 'changed',
        disabled,
        error: null,
        needs: [],
      };
    }),
    ...[...unusable].map(([name, error]) => ({
      name,
      target: null,
      transport: null,
      source,
      allowed: false,
      changed: false,
      disabled: false,
      error: redactor.message(sanitizeLine(summaryOf(error))),
      needs: lackedVariables(error),
    })),
  ];
}

/** What is set makes it usable; none where something else is wrong, too. */
function lackedVariables({ problems }: ConfigError): string[] {
  const names = problems.map(({ variable }) => variable);
  return names.includes(undefined) ? [] : [...new Set(names.map(String))];
}

function stateOf(server: ListedServer, isNamed: boolean): string {
  const { error, needs, disabled, changed, allowed } = server;
  if (needs.length > 0) {
    const written = needs.map((name) => (name.startsWith('input:') ? `\${${name}}` : name));
    return `needs ${sanitizeLine(written.join(', '))}`;
  }
  if (error !== null) return `cannot be used: ${error}`;
  if (disabled) return 'disabled';
  if (isNamed) return '';
  if (changed) return 'changed since it was allowed';
  return allowed ? 'allowed' : 'not allowed';
}
