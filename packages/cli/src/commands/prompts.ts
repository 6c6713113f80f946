import type { AddCommand } from '../context.js';
import { targetArgument } from '../options.js';
import { sanitizeLine } from '../sanitize.js';
import { operationOptions, withClient } from '../session.js';
import { renderTable } from '../table.js';
import { firstLine } from '../tool-table.js';

/** `longwire prompts [target]` */
export const addPrompts: AddCommand = (program, run) => {
  program
    .command('prompts')
    .description('list the prompts of a server')
    .argument(...targetArgument)
    .addHelpText('after', '\nExample:\n  $ longwire prompts http://127.0.0.1:3001/sse')
    .action((word: string | undefined) =>
      run((context) =>
        withClient(context, word, async (client) => {
          const { terminal, options } = context;
          const offered = client.capabilities?.prompts !== undefined;
          const prompts = offered ? await client.listPrompts(operationOptions(context)) : [];
          if (options.json) terminal.json(prompts);
          else if (prompts.length === 0) terminal.remark('The server has no prompts.');
          else {
            const rows = prompts.map((prompt) => [
              sanitizeLine(prompt.name),
              firstLine(prompt.description ?? prompt.title),
              (prompt.arguments ?? [])
                .map(({ name, required }) => sanitizeLine(required === true ? `${name}*` : name))
                .join(', '),
            ]);
            const head = ['prompt', 'what it does', 'arguments (* required)'];
            terminal.print(renderTable(head, rows, terminal));
          }
          return 0;
        }),
      ),
    );
};
