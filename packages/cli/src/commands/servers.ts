import type { ConfigError, Health, LongwireClient } from '@longwire/client';
import {
  chooseAll,
  namedServer,
  neededConfiguration,
  refuseCommand,
  type AllServers,
} from '../choose-servers.js';
import { shownTarget } from '../configuration.js';
import type { AddCommand, Context } from '../context.js';
import { formatDuration } from '../durations.js';
import type { ExitCode } from '../exit-codes.js';
import { lookAtEach, type Outcome } from '../look-at.js';
import { errorAsJson, summaryOf } from '../report-error.js';
import { sanitizeLine } from '../sanitize.js';
import { renderTable } from '../table.js';
import { checkTargetOptions } from '../target-options.js';

const examples = `
Examples:
  $ longwire servers
  $ longwire servers status market files
  $ longwire servers status --config ~/.cursor/mcp.json`;

/** `longwire servers`, `longwire servers status [name …]` */
export const addServers: AddCommand = (program, run) => {
  const servers = program
    .command('servers')
    .description('the servers that have a name: longwire.json, or --config')
    .addHelpText('after', examples)
    .action(() => run(list));
  servers
    .command('status')
    .description('connect to them, and say which are healthy')
    .argument('[names...]', 'which (default: all)')
    .action((names: string[]) => run((context) => status(context, names)));
};

async function list(context: Context): Promise<ExitCode> {
  const { terminal, redactor, options } = context;
  refuseCommand(context);
  const { file, servers, unusable } = await neededConfiguration(context);
  const all = [
    ...[...servers.values()].map((server) => ({
      name: server.name,
      target: shownTarget(server, redactor),
      transport: typeof server.target === 'string' ? (server.options.transport ?? null) : 'stdio',
      disabled: server.disabled,
      error: null,
    })),
    ...[...unusable].map(([name, error]) => ({
      name,
      target: null,
      transport: null,
      disabled: false,
      error: redactor.message(sanitizeLine(summaryOf(error))),
    })),
  ];
  if (options.json) terminal.json(all);
  else if (all.length === 0) terminal.remark(`${sanitizeLine(file)} has no servers.`);
  else {
    const rows = all.map(({ name, target, transport, disabled, error }) => [
      sanitizeLine(name),
      sanitizeLine(target ?? ''),
      transport ?? (error === null ? 'detected' : ''),
      error === null ? (disabled ? 'disabled' : '') : `cannot be used: ${error}`,
    ]);
    terminal.print(renderTable(['server', 'target', 'transport', ''], rows, terminal));
  }
  return 0;
}

async function status(context: Context, names: readonly string[]): Promise<ExitCode> {
  const { terminal, options } = context;
  const all = names.length === 0 ? await chooseAll(context) : await chosen(context, names);
  return await lookAtEach(context, all, readStatus, (outcomes) => {
    if (options.json) {
      terminal.json([
        ...outcomes.map((outcome) => asJson(context, outcome)),
        ...[...all.skipped].map(([server, reason]) => ({ server, status: 'skipped', reason })),
      ]);
    } else {
      const rows = [
        ...outcomes.map((outcome) => asRow(context, outcome)),
        ...[...all.skipped].map(([name, reason]) => [name, 'skipped', '', reason]),
      ];
      const cells = rows.map((row) => row.map((cell) => sanitizeLine(cell)));
      terminal.print(renderTable(['server', 'status', 'latency', ''], cells, terminal));
    }
  });
}

/** The servers of those names, each of which may be unusable. */
async function chosen(context: Context, names: readonly string[]): Promise<AllServers> {
  refuseCommand(context);
  const configuration = await neededConfiguration(context);
  const { file } = configuration;
  const unusable = new Map<string, ConfigError>();
  const servers: AllServers['servers'] = [];
  for (const name of new Set(names)) {
    const error = configuration.unusable.get(name);
    if (error === undefined) servers.push(namedServer(name, configuration));
    else unusable.set(name, error);
  }
  checkTargetOptions(servers, context.options);
  return { file, servers, unusable, skipped: new Map() };
}

/** The status of a server that was reached. */
interface Status {
  status: Health['status'];
  reason?: string;
  transport: string;
  protocolVersion: string | null;
  server: { name: string; version: string } | null;
  latencyMs: number | null;
}

async function readStatus(client: LongwireClient): Promise<Status> {
  const { status, reason, latencyMs } = await client.health();
  const { state, server, protocolVersion } = client;
  return {
    status,
    transport: state.name === 'ready' ? state.transport : 'unknown',
    protocolVersion: protocolVersion ?? null,
    server: server === undefined ? null : { name: server.name, version: server.version },
    latencyMs: latencyMs === undefined ? null : Math.ceil(latencyMs),
    ...(reason !== undefined && { reason }),
  };
}

function asJson(context: Context, outcome: Outcome<Status>): object {
  const { name } = outcome;
  if ('error' in outcome) {
    const { error, requests = context.requests } = outcome;
    return { server: name, status: 'down', error: errorAsJson(error, { ...context, requests }) };
  }
  const { server, ...found } = outcome.found;
  return { server: name, ...found, serverInfo: server };
}

function asRow({ redactor }: Context, outcome: Outcome<Status>): string[] {
  const { name } = outcome;
  if ('error' in outcome) return [name, 'down', '', redactor.message(summaryOf(outcome.error))];
  const { status, transport, server, latencyMs, reason } = outcome.found;
  const told = server === null ? '' : `, ${server.name} ${server.version}`;
  const latency = latencyMs === null ? '' : formatDuration(latencyMs);
  const why = reason === undefined ? '' : `: ${reason}`;
  return [name, status, latency, redactor.message(`${transport}${told}${why}`)];
}
