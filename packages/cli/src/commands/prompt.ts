import type { LongwireClient } from '@longwire/client';
import type { AddCommand } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { getWritten, printMessages } from '../get-prompt.js';
import { deliver } from '../out/deliver.js';
import { chooseDestination, outOption } from '../out/destination.js';
import { describeParts } from '../print-result.js';
import { readStdin } from '../read-stdin.js';
import { contentPart } from '../result-parts.js';
import { MediaFolder } from '../save-media.js';
import { takeWords, targetArgument } from '../options.js';
import { addServerRequestOptions, type ServerRequestOptions } from '../server-requests/options.js';
import { withClient } from '../session.js';
import { splitSubject } from '../subject.js';
import { imageDrawer } from '../terminal-images.js';

const example = 'longwire prompt http://127.0.0.1:3001 market_brief symbols=AAPL';

/** `longwire prompt [target] <name> [name=value …]` */
export const addPrompt: AddCommand = (program, run) => {
  const command = program
    .command('prompt')
    .description('print the messages of a prompt')
    .usage('[target] <name> [arg=value …]');
  takeWords(command, [
    targetArgument,
    ['name', 'the prompt'],
    ['arg=value', 'its arguments; arg=@file is the content of a file, @- stdin'],
  ]).option(...outOption);
  addServerRequestOptions(command)
    .addHelpText('after', `\nExample:\n  $ ${example}`)
    .action((all: string[], { out, ...mayAsk }: { out?: string } & ServerRequestOptions) =>
      run(async (context) => {
        const { server, ...written } = await splitSubject(all, context, {
          what: 'prompt',
          example,
        });
        const destination = chooseDestination(out, context);
        const stdin = await readStdin(context, written);
        const prompt = async (client: LongwireClient): Promise<ExitCode> => {
          const { terminal, options } = context;
          const result = await getWritten(context, client, { ...written, stdin });
          const { name } = written;
          const media = new MediaFolder(imageDrawer(context));
          const parts = result.messages.map(({ content }) => contentPart(content));
          const { rest, hasFailed } = await deliver(context, destination, parts, { source: name });
          if (options.json) terminal.json(result);
          else if (rest === parts) await printMessages(context, result, { name, media });
          else
            for (const line of await describeParts(rest, { tool: name, media })) {
              terminal.print(line);
            }
          return hasFailed ? 1 : 0;
        };
        return await withClient(context, server, prompt, { mayAsk });
      }),
    );
};
