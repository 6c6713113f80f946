import type { LongwireClient } from '@longwire/client';
import type { AddCommand } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { deliver } from '../out/deliver.js';
import { chooseDestination, outOption } from '../out/destination.js';
import { describeParts } from '../print-result.js';
import { checkWritten, printContents, readWritten, sourceOf } from '../read-resource.js';
import { readStdin } from '../read-stdin.js';
import { resourcePart } from '../result-parts.js';
import { MediaFolder } from '../save-media.js';
import { takeWords, targetArgument } from '../options.js';
import { addServerRequestOptions, type ServerRequestOptions } from '../server-requests/options.js';
import { withClient } from '../session.js';
import { splitSubject } from '../subject.js';
import { imageDrawer } from '../terminal-images.js';

const example = 'longwire read http://127.0.0.1:3001 demo://about';

/** `longwire read [target] <uri> [name=value …]` */
export const addRead: AddCommand = (program, run) => {
  const command = program
    .command('read')
    .description('print what a resource holds')
    .usage('[target] <uri> [name=value …]');
  takeWords(command, [
    targetArgument,
    ['uri', 'URI or name of the resource, or a URI template'],
    ['name=value', 'variables of the template'],
  ]).option(...outOption);
  addServerRequestOptions(command)
    .addHelpText(
      'after',
      `
Text comes as it is. Anything else is saved to a file, which is named.

Examples:
  $ ${example}
  $ longwire read files 'user://{id}/profile' id=7    (files is a name in longwire.json)
  $ longwire read demo://resource/static/document/features.md > features.md`,
    )
    .action((all: string[], { out, ...mayAsk }: { out?: string } & ServerRequestOptions) =>
      run(async (context) => {
        const { server, ...written } = await splitSubject(all, context, {
          what: 'resource',
          example,
        });
        const destination = chooseDestination(out, context);
        const stdin = await readStdin(context, written);
        checkWritten(context, { ...written, stdin });
        const read = async (client: LongwireClient): Promise<ExitCode> => {
          const { terminal, options } = context;
          const result = await readWritten(context, client, { ...written, stdin });
          const media = new MediaFolder(imageDrawer(context));
          const parts = result.contents.map((content) => resourcePart({ ...content }));
          const source = sourceOf(written.name);
          const { rest, hasFailed } = await deliver(context, destination, parts, { source });
          if (options.json) terminal.json(result);
          else if (rest === parts) await printContents(context, result, { media });
          else
            for (const line of await describeParts(rest, { tool: source, media })) {
              terminal.print(line);
            }
          return hasFailed ? 1 : 0;
        };
        return await withClient(context, server, read, { mayAsk });
      }),
    );
};
