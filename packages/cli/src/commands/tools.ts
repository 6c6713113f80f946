import type { AddCommand } from '../context.js';
import { targetArgument } from '../options.js';
import { operationOptions, withClient } from '../session.js';
import { toolTable } from '../tool-table.js';

/** `longwire tools [target]` */
export const addTools: AddCommand = (program, run) => {
  program
    .command('tools')
    .description('list the tools of a server')
    .argument(...targetArgument)
    .addHelpText(
      'after',
      '\nExamples:\n  $ longwire tools http://127.0.0.1:3001\n  $ longwire tools -- npx -y @modelcontextprotocol/server-everything',
    )
    .action((word: string | undefined) =>
      run((context) =>
        withClient(context, word, async (client) => {
          const { terminal, options } = context;
          const tools = await client.listTools(operationOptions(context));
          if (options.json) terminal.json(tools);
          else if (tools.length === 0) terminal.remark('The server has no tools.');
          else terminal.print(toolTable(tools, terminal));
          return 0;
        }),
      ),
    );
};
