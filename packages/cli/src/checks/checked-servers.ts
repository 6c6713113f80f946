import type { LongwireClient, Tool } from '@longwire/client';
import type { Check } from '@longwire/recording';
import {
  allServers,
  chooseServer,
  chooseServers,
  configIn,
  configurationFor,
} from '../choose-servers.js';
import { usageError } from '../command-error.js';
import type { Context } from '../context.js';
import { isLauncher } from '../launchers.js';
import { followClients, operationOptions } from '../session.js';
import { createServerClient } from '../target-client.js';
import { looksLikeAddress, type Server } from '../target.js';

/** A server of checks that is connected, or why it is not. */
export type CheckedServer = { readonly requests: Context['requests'] } & (
  | { readonly client: LongwireClient; readonly tools: ReadonlyMap<string, Tool> }
  | { readonly error: unknown }
);

/**
 * The servers of checks, by what the checks call them. A target of the command line takes the place of
 * the only server that there is.
 *
 * @throws LongwireError (usage) if it does not, or a name cannot be used.
 */
export async function serversOf(
  context: Context,
  checks: readonly Check[],
  target: string | undefined,
): Promise<ReadonlyMap<string, Server>> {
  const words = [...new Set(checks.map(({ server }) => server))];
  if (words.includes(allServers))
    throw usageError(`a check is about one server: ${allServers} is none`);
  if (target === undefined && context.command === undefined) {
    for (const word of words) await refuseUnallowed(word, context);
    const servers = await chooseServers(words, context, () => undefined).catch((error: unknown) => {
      const [only = ''] = words;
      if (words.length > 1 || !(looksLikeAddress(only) || isLauncher(only))) throw error;
      // A recording has the short name of its server, which does not say where it is.
      throw usageError(
        `the file calls its server "${only}", and does not say where it is: write its URL after the file, or -- and its command`,
        { code: 'config' },
      );
    });
    return new Map(servers.map((server, index) => [words[index] ?? '', server]));
  }
  if (words.length > 1) {
    const named = words.slice(0, 5).join(', ');
    throw usageError(
      `the checks are about ${words.length} servers (${named}), and a target takes the place of one: leave it out`,
    );
  }
  const server = await chooseServer(target, context);
  return new Map(words.map((word) => [word, server]));
}

/** Connects to all servers and lists their tools. Clients are added to `opened`, to be closed. */
export async function openServers(
  context: Context,
  servers: ReadonlyMap<string, Server>,
  opened: LongwireClient[],
): Promise<ReadonlyMap<string, CheckedServer>> {
  const { terminal } = context;
  const open = async (server: Server): Promise<CheckedServer> => {
    const requests: Context['requests'] = { credentials: 'none' };
    try {
      const client = await createServerClient({ ...context, requests }, server);
      opened.push(client);
      followClients(context, [client], { several: servers.size > 1 });
      const tools = await client.listTools(operationOptions(context));
      return { requests, client, tools: new Map(tools.map((tool) => [tool.name, tool])) };
    } catch (error) {
      return { requests, error };
    }
  };
  terminal.showLive(`connecting to ${[...servers.keys()].join(', ')}`);
  try {
    const entries = [...servers].map(async ([word, server]) => [word, await open(server)] as const);
    return new Map(await Promise.all(entries));
  } finally {
    terminal.stopLive();
  }
}

/** A file of checks may name no server of the user's own that was not allowed: it would be called. */
async function refuseUnallowed(word: string, context: Context): Promise<void> {
  const { hostOf } = await import('../hosts/host-files.js');
  if (context.options.configFile !== undefined || hostOf(word) === undefined) return;
  const { requireAllowed } = await import('../hosts/consent.js');
  const configuration = await configurationFor(word, context);
  requireAllowed(context, { config: configIn(word, configuration), configuration });
}
