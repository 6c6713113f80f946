import type { Prompt } from '@longwire/client';
import { nameList } from '@longwire/client/internal';
import type { AddCommand, Context } from '../context.js';
import { lookAt } from '../look-at.js';
import { targetOrAllArgument } from '../options.js';
import { sanitizeLine } from '../sanitize.js';
import { operationOptions } from '../session.js';
import { renderTable } from '../table.js';
import { firstLine } from '../tool-table.js';

/** `longwire prompts [target]` */
export const addPrompts: AddCommand = (program, run) => {
  program
    .command('prompts')
    .description('list the prompts of a server')
    .argument(...targetOrAllArgument)
    .addHelpText('after', '\nExample:\n  $ longwire prompts http://127.0.0.1:3001/sse')
    .action((word: string | undefined) =>
      run((context) =>
        lookAt(context, word, {
          read: async (client) => {
            const offered = client.capabilities?.prompts !== undefined;
            return offered ? await client.listPrompts(operationOptions(context)) : [];
          },
          print: (prompts) => print(context, prompts),
        }),
      ),
    );
};

function print({ terminal }: Context, prompts: readonly Prompt[]): void {
  if (prompts.length === 0) return terminal.remark('The server has no prompts.');
  const rows = prompts.map((prompt) => [
    sanitizeLine(prompt.name),
    firstLine(prompt.description ?? prompt.title),
    nameList(
      (prompt.arguments ?? []).map(({ name, required }) =>
        sanitizeLine(required === true ? `${name}*` : name, 80),
      ),
    ),
  ]);
  terminal.print(renderTable(['prompt', 'what it does', 'arguments (* required)'], rows, terminal));
}
