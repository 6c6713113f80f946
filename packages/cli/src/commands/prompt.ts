import type { AddCommand } from '../context.js';
import { getWritten, printMessages } from '../get-prompt.js';
import { readStdin } from '../read-stdin.js';
import { MediaFolder } from '../save-media.js';
import { withClient } from '../session.js';
import { splitSubject } from '../subject.js';

const example = 'longwire prompt http://127.0.0.1:3001 market_brief symbols=AAPL';

/** `longwire prompt [target] <name> [name=value …]` */
export const addPrompt: AddCommand = (program, run) => {
  program
    .command('prompt')
    .description('print the messages of a prompt')
    .usage('[target] <name> [arg=value …]')
    .argument(
      '[words...]',
      'URL or name of the server (default: MCP_SERVER_URL, or -- and a command), prompt, arguments',
    )
    .addHelpText('after', `\nExample:\n  $ ${example}`)
    .action((all: string[]) =>
      run(async (context) => {
        const { server, ...written } = await splitSubject(all, context, {
          what: 'prompt',
          example,
        });
        const stdin = await readStdin(context, written);
        return await withClient(context, server, async (client) => {
          const { terminal, options } = context;
          const result = await getWritten(context, client, { ...written, stdin });
          const { name } = written;
          if (options.json) terminal.json(result);
          else await printMessages(context, result, { name, media: new MediaFolder() });
          return 0;
        });
      }),
    );
};
