import type { ConfigError, Health, LongwireClient } from '@longwire/client';
import { chooseAll, configurationFor, namedServer, refuseCommand } from '../choose-servers.js';
import { configFileName } from '../configuration.js';
import type { AddCommand, Context } from '../context.js';
import { formatDuration } from '../durations.js';
import type { ExitCode } from '../exit-codes.js';
import { lookAtEach, type Outcome } from '../look-at.js';
import { errorAsJson, summaryOf } from '../report-error.js';
import { sanitizeLine } from '../sanitize.js';
import { renderTable } from '../table.js';
import { checkTargetOptions } from '../target-options.js';
import type { AllServers } from '../target.js';

const examples = `
Found are the longwire.json, .mcp.json, .cursor, .vscode and the like here, and
the files of Claude Desktop, Claude Code, Cursor, VS Code, Windsurf, Codex,
Gemini, opencode and Zed at home. Nothing of them is started or sent anything
unless its name is written, or it is allowed and @all is written.

Examples:
  $ longwire servers
  $ longwire tools cursor:github
  $ longwire servers allow cursor:github claude-desktop:files
  $ longwire servers add market https://market.example/mcp
  $ longwire servers add files -- npx -y some-server
  $ longwire servers import cursor github
  $ longwire servers status
  $ longwire servers status --config ~/.cursor/mcp.json`;

/** `longwire servers`, and what is done with them. */
export const addServers: AddCommand = (program, run) => {
  const servers = program
    .command('servers')
    .description('the servers that have a name, here and in other programs')
    .addHelpText('after', examples)
    .action(() => run(list));
  servers
    .command('status')
    .description('connect to them, and say which are healthy')
    .argument('[names...]', 'which (default: those that are allowed)')
    .action((names: string[]) => run((context) => status(context, names)));
  servers
    .command('add')
    .description('write one into longwire.json: its URL, or -- and its command')
    .usage('<name> [url] [-- command…]')
    .argument('<name>', 'what it is called')
    .argument('[url]', 'where it is')
    .action((name: string, url: string | undefined) =>
      run(async (context) => {
        const { addServer } = await import('../hosts/change-servers.js');
        return await addServer(context, name, url);
      }),
    );
  servers
    .command('remove')
    .description('take some out of longwire.json')
    .argument('<names...>', 'which')
    .action((names: string[]) =>
      run(async (context) => {
        refuseCommand(context);
        const { removeServers } = await import('../hosts/change-servers.js');
        return removeServers(context, names);
      }),
    );
  servers
    .command('import')
    .description("copy another program's into longwire.json, without secrets")
    .argument('<source>', 'the program, such as cursor, or its file')
    .argument('[names...]', 'which (default: all)')
    .action((source: string, names: string[]) =>
      run(async (context) => {
        refuseCommand(context);
        const { importServers } = await import('../hosts/change-servers.js');
        return await importServers(context, source, names);
      }),
    );
  servers
    .command('allow')
    .description('let @all include them, as they are now')
    .argument('<names...>', 'which')
    .action((names: string[]) =>
      run(async (context) => {
        const { allowServers } = await import('../hosts/allow-servers.js');
        return await allowServers(context, names);
      }),
    );
  servers
    .command('disallow')
    .description('take that back')
    .argument('<names...>', 'which')
    .action((names: string[]) =>
      run(async (context) => {
        const { disallowServers } = await import('../hosts/allow-servers.js');
        return disallowServers(context, names);
      }),
    );
};

async function list(context: Context): Promise<ExitCode> {
  refuseCommand(context);
  const { listServers } = await import('../hosts/list-servers.js');
  return await listServers(context);
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
  const unusable = new Map<string, ConfigError>();
  const servers: AllServers['servers'] = [];
  for (const name of new Set(names)) {
    const configuration = await configurationFor(name, context);
    const error = configuration.unusable.get(name);
    if (error === undefined) servers.push(await namedServer(name, context));
    else unusable.set(name, error);
  }
  checkTargetOptions(servers, context.options);
  return { file: configFileName, servers, unusable, skipped: new Map() };
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
