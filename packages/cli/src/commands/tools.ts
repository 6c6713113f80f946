import type { Tool } from '@longwire/client';
import { allServers, refuseAmbiguous, splitServer } from '../choose-servers.js';
import { rememberTools } from '../completion/catalogues.js';
import type { AddCommand, Context } from '../context.js';
import { lookAt } from '../look-at.js';
import { takeWords, targetOrAllArgument } from '../options.js';
import { operationOptions } from '../session.js';
import { shellWord } from '../shell-word.js';
import { isTarget, looksLikeAddress } from '../target.js';
import { toolTable } from '../tool-table.js';

/** `longwire tools [target] [name or pattern …]` */
export const addTools: AddCommand = (program, run) => {
  const command = program
    .command('tools')
    .description('list the tools of a server, or tell all about one')
    .usage('[target] [name …]');
  takeWords(command, [targetOrAllArgument, ['name', "names of tools, or patterns such as 'get_*'"]])
    .addHelpText(
      'after',
      `
Examples:
  $ longwire tools http://127.0.0.1:3001
  $ longwire tools http://127.0.0.1:3001 forecast     all about one tool
  $ longwire tools @all 'get_*'
  $ longwire tools -- npx -y @modelcontextprotocol/server-everything`,
    )
    .action((words: string[]) => run((context) => tools(context, words)));
};

async function tools(context: Context, all: readonly string[]): ReturnType<typeof lookAt> {
  const [server, names] = await splitNames(all, context);
  const { terminal, options } = context;
  const pages = new WeakMap<Tool, string[]>();
  return await lookAt<readonly Tool[] | Tool>(context, server, {
    read: async (client) => {
      const listed = await client.listTools(operationOptions(context));
      if (server !== allServers) rememberTools(context, server, listed);
      if (names.length === 0) return listed;
      const { isPattern, selectTools } = await import('../describe/select-tools.js');
      const chosen = selectTools(listed, names);
      const [only] = chosen;
      const [name = ''] = names;
      if (names.length > 1 || only === undefined || isPattern(name, listed)) return chosen;
      const { toolPage } = await import('../describe/tool-page.js');
      const callOf = (args: readonly string[]): string =>
        callLine(context, server, only.name, args);
      if (!options.json) pages.set(only, await toolPage(only, terminal, callOf));
      return only;
    },
    print: (found) => {
      if (isOne(found)) for (const line of pages.get(found) ?? []) terminal.print(line);
      else if (found.length === 0) terminal.remark('The server has no tools.');
      else terminal.print(toolTable(found, terminal));
    },
  });
}

function isOne(found: readonly Tool[] | Tool): found is Tool {
  return !Array.isArray(found);
}

/**
 * Splits the server from the names of tools. A word alone is a server where no other is given, or where
 * a server has that name.
 */
async function splitNames(
  words: readonly string[],
  context: Context,
): Promise<[server: string | undefined, names: string[]]> {
  const [first] = words;
  if (first === undefined) return [undefined, []];
  const { command, connected, environment } = context;
  // The server of a session is settled; another URL is refused where it is used.
  if (connected !== undefined && !isTarget(first)) return [undefined, [...words]];
  const isServer =
    (command ?? environment.serverUrl) === undefined || isTarget(first) || looksLikeAddress(first);
  if (isServer) return [first, words.slice(1)];
  if (command !== undefined && first !== allServers) return [undefined, [...words]];
  // A word before a name is a server, if there is one of that name.
  const [server] = await splitServer([first, 'tool'], context);
  const isToolLike = words[1] === undefined || words[1].includes('=');
  if (server !== undefined && isToolLike) await refuseAmbiguous(server, context);
  return server === undefined ? [undefined, [...words]] : [server, words.slice(1)];
}

/** The call of a tool of this server, as a shell takes it. */
function callLine(
  { command, options }: Context,
  server: string | undefined,
  tool: string,
  args: readonly string[],
): string {
  const { configFile, profile } = options;
  const words = [
    ...(server === undefined ? [] : [shellWord(server)]),
    shellWord(tool),
    ...args,
    ...(configFile === undefined ? [] : ['--config', shellWord(configFile)]),
    ...(profile === undefined ? [] : ['--profile', shellWord(profile)]),
    ...(command === undefined
      ? []
      : ['--', command.command, ...(command.args ?? [])].map(shellWord)),
  ];
  return `longwire call ${words.join(' ')}`;
}
