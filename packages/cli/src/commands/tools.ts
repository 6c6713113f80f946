import { allServers } from '../choose-servers.js';
import { rememberTools } from '../completion/catalogues.js';
import type { AddCommand } from '../context.js';
import { lookAt } from '../look-at.js';
import { targetArgument } from '../options.js';
import { operationOptions } from '../session.js';
import { toolTable } from '../tool-table.js';

/** `longwire tools [target]` */
export const addTools: AddCommand = (program, run) => {
  program
    .command('tools')
    .description('list the tools of a server')
    .argument(...targetArgument)
    .addHelpText(
      'after',
      '\nExamples:\n  $ longwire tools http://127.0.0.1:3001\n  $ longwire tools @all\n  $ longwire tools -- npx -y @modelcontextprotocol/server-everything',
    )
    .action((word: string | undefined) =>
      run((context) =>
        lookAt(context, word, {
          read: async (client) => {
            const tools = await client.listTools(operationOptions(context));
            if (word !== allServers) rememberTools(context, word, tools);
            return tools;
          },
          print: (tools) => {
            const { terminal } = context;
            if (tools.length === 0) terminal.remark('The server has no tools.');
            else terminal.print(toolTable(tools, terminal));
          },
        }),
      ),
    );
};
