import type { LongwireClient } from '@longwire/client';
import type { AddCommand } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { getWritten, printMessages } from '../get-prompt.js';
import { readStdin } from '../read-stdin.js';
import { MediaFolder } from '../save-media.js';
import { addServerRequestOptions, type ServerRequestOptions } from '../server-requests/options.js';
import { withClient } from '../session.js';
import { splitSubject } from '../subject.js';

const example = 'longwire prompt http://127.0.0.1:3001 market_brief symbols=AAPL';

/** `longwire prompt [target] <name> [name=value …]` */
export const addPrompt: AddCommand = (program, run) => {
  const command = program
    .command('prompt')
    .description('print the messages of a prompt')
    .usage('[target] <name> [arg=value …]')
    .argument(
      '[words...]',
      'URL or name of the server (default: MCP_SERVER_URL, or -- and a command), prompt, arguments',
    );
  addServerRequestOptions(command)
    .addHelpText('after', `\nExample:\n  $ ${example}`)
    .action((all: string[], mayAsk: ServerRequestOptions) =>
      run(async (context) => {
        const { server, ...written } = await splitSubject(all, context, {
          what: 'prompt',
          example,
        });
        const stdin = await readStdin(context, written);
        const prompt = async (client: LongwireClient): Promise<ExitCode> => {
          const { terminal, options } = context;
          const result = await getWritten(context, client, { ...written, stdin });
          const { name } = written;
          if (options.json) terminal.json(result);
          else await printMessages(context, result, { name, media: new MediaFolder() });
          return 0;
        };
        return await withClient(context, server, prompt, { mayAsk });
      }),
    );
};
