import type { LongwireClient } from '@longwire/client';
import { callWritten } from '../call-tool.js';
import { splitServer } from '../choose-servers.js';
import { usageError } from '../command-error.js';
import { rememberTools } from '../completion/catalogues.js';
import type { AddCommand } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { commandBelongsAfter, isLauncher } from '../launchers.js';
import { deliver } from '../out/deliver.js';
import { chooseDestination, outOption } from '../out/destination.js';
import { describeParts, outcomeOf } from '../print-result.js';
import { readStdin } from '../read-stdin.js';
import { resultParts } from '../result-parts.js';
import { MediaFolder } from '../save-media.js';
import { takeWords, targetArgument } from '../options.js';
import { addServerRequestOptions, type ServerRequestOptions } from '../server-requests/options.js';
import { withClient } from '../session.js';
import { imageDrawer } from '../terminal-images.js';
import { isTarget, looksLikeAddress, parseTarget } from '../target.js';

interface CallOptions extends ServerRequestOptions {
  args?: string;
  loose?: boolean;
  out?: string;
}

const examples = `
Arguments of the tool:
  name=value    becomes the type that the tool's schema names; a list: a,b,c
  name:=JSON    any JSON value
  name=@file    the content of a file; @- is stdin

Examples:
  $ longwire call http://127.0.0.1:3001/sse echo message=hi
  $ longwire call files read_file path=README.md      (files is a name in longwire.json)
  $ longwire call add a=1 b=2 --json                  (with MCP_SERVER_URL set)
  $ longwire call search --args '{"query":"tea","limit":5}'
  $ longwire call echo message=hi -- npx -y @modelcontextprotocol/server-everything`;

/** `longwire call [target] <tool> [key=value …]` */
export const addCall: AddCommand = (program, run) => {
  const command = program
    .command('call')
    .description('call a tool, show its progress, print its result')
    .usage('[target] <tool> [name=value …]');
  takeWords(command, [
    targetArgument,
    ['tool', 'its name, as longwire tools lists it'],
    ['name=value', 'its arguments; see below'],
  ])
    .option('--args <json>', 'the arguments as one JSON object, or @file, or - for stdin')
    .option(...outOption)
    .option('--loose', 'send an argument that looks like a misspelt one all the same');
  addServerRequestOptions(command)
    .addHelpText('after', examples)
    .action((all: string[], { args: json, loose = false, out, ...mayAsk }: CallOptions) =>
      run(async (context) => {
        const [server, [tool, ...words]] = await splitServer(all, context);
        if (tool === undefined) {
          throw usageError('no tool given: write its name, as in `longwire call echo message=hi`');
        }
        if (server === undefined && context.command === undefined) {
          if (isLauncher(tool)) throw usageError(commandBelongsAfter(tool, 'call TOOL name=value'));
          const late = words.find((word) => isTarget(word));
          if (late !== undefined && context.environment.serverUrl === undefined) {
            throw usageError(`the server comes before the tool: longwire call ${late} ${tool} …`);
          }
        }
        if (looksLikeAddress(tool)) parseTarget(tool);
        const destination = chooseDestination(out, context);
        const stdin = await readStdin(context, { words, json });
        const call = async (client: LongwireClient): Promise<ExitCode> => {
          const { terminal, options } = context;
          const result = await callWritten(context, client, {
            tool,
            words,
            json,
            loose,
            stdin,
            onTools: (tools) => rememberTools(context, server, tools),
          });
          const { rest, hasFailed } = await deliver(
            context,
            // An error is no file.
            result.isError === true ? undefined : destination,
            resultParts(result),
            { source: tool },
          );
          if (options.json) terminal.json(result);
          else {
            const media = new MediaFolder(imageDrawer(context));
            for (const line of await describeParts(rest, { tool, media })) terminal.print(line);
          }
          return hasFailed ? 1 : outcomeOf(terminal, result, tool);
        };
        return await withClient(context, server, call, { mayAsk });
      }),
    );
};
