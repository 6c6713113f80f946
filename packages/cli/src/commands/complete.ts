import { completeWritten } from '../complete-argument.js';
import { usageError } from '../command-error.js';
import type { AddCommand } from '../context.js';
import { takeWords, targetArgument } from '../options.js';
import { sanitizeLine } from '../sanitize.js';
import { withClient } from '../session.js';
import { splitSubject } from '../subject.js';

const example = 'longwire complete http://127.0.0.1:3001 market_brief tone=d';

/** `longwire complete [target] <prompt|template> <name=prefix> [name=value …]` */
export const addComplete: AddCommand = (program, run) => {
  const command = program
    .command('complete')
    .description('print values for an argument of a prompt or a template')
    .usage('[target] <name> <arg=begin>');
  takeWords(command, [
    targetArgument,
    ['name', 'a prompt, or a URI template'],
    ['arg=begin', 'the argument, as far as it is typed; other arguments with their values'],
  ])
    .addHelpText(
      'after',
      `
The first argument is completed. Those after it help the server to choose.

Examples:
  $ ${example}
  $ longwire complete files 'user://{id}/profile' id=`,
    )
    .action((all: string[]) =>
      run(async (context) => {
        const what = 'prompt or template';
        const { server, ...written } = await splitSubject(all, context, { what, example });
        if (written.words.length === 0) {
          throw usageError(`write what is typed so far, as in \`${example}\``);
        }
        return await withClient(context, server, async (client) => {
          const { terminal, options } = context;
          const result = await completeWritten(context, client, written);
          if (options.json) {
            terminal.json(result);
            return 0;
          }
          const { values, total, hasMore } = result.completion;
          for (const value of values) terminal.print(sanitizeLine(value));
          if (values.length === 0) terminal.remark('Nothing begins with that.');
          const more = total === undefined ? 0 : total - values.length;
          if (more > 0) terminal.remark(`The server has ${more} more: type more of it.`);
          else if (hasMore === true) terminal.remark('The server has more: type more of it.');
          return 0;
        });
      }),
    );
};
