import type { CallToolResult, LongwireClient } from '@longwire/client';
import { callWritten, type WrittenCall } from '../call-tool.js';
import { splitServer } from '../choose-servers.js';
import { usageError } from '../command-error.js';
import { rememberTools } from '../completion/catalogues.js';
import type { AddCommand } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { commandBelongsAfter, isLauncher } from '../launchers.js';
import { chooseDestination, outOption } from '../out/destination.js';
import { printAnswer } from '../print-answer.js';
import { readStdin } from '../read-stdin.js';
import { takeWords, targetArgument } from '../options.js';
import { addServerRequestOptions, type ServerRequestOptions } from '../server-requests/options.js';
import { withClient } from '../session.js';
import { sanitizeLine } from '../sanitize.js';
import { isTarget, looksLikeAddress, parseTarget, type Target } from '../target.js';
import { callAndDetach, printDetached } from '../tasks/detach.js';
import { endingServer } from '../tasks/task-support.js';
import { taskPlace } from '../tasks/task-words.js';
import { withTaskClient } from '../tasks/with-task-client.js';

interface CallOptions extends ServerRequestOptions {
  args?: string;
  detach?: boolean;
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
  $ longwire call echo message=hi -- npx -y @modelcontextprotocol/server-everything
  $ id=$(longwire call export_all --detach)           (then: longwire task "$id")`;

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
    .option('--detach', 'print the id of the task that it becomes, and leave it to the server')
    .option('--loose', 'send an argument that looks like a misspelt one all the same');
  addServerRequestOptions(command)
    .addHelpText('after', examples)
    .action(
      (all: string[], { args: json, detach = false, loose = false, out, ...mayAsk }: CallOptions) =>
        run(async (context) => {
          const [server, [tool, ...words]] = await splitServer(all, context);
          if (tool === undefined) {
            throw usageError(
              'no tool given: write its name, as in `longwire call echo message=hi`',
            );
          }
          if (context.connected !== undefined && isTarget(tool)) {
            throw usageError(`"${tool}" is no server of this session: leave it out`);
          }
          if (server === undefined && context.command === undefined) {
            if (isLauncher(tool))
              throw usageError(commandBelongsAfter(tool, 'call TOOL name=value'));
            const late = words.find((word) => isTarget(word));
            if (late !== undefined && context.environment.serverUrl === undefined) {
              throw usageError(`the server comes before the tool: longwire call ${late} ${tool} …`);
            }
          }
          if (looksLikeAddress(tool)) parseTarget(tool);
          const file = words.find((word) => !word.includes('='));
          if (context.options.trace === '' && file !== undefined) {
            throw usageError(`--trace takes its file after =: write --trace=${file}`);
          }
          if (detach) {
            if (context.command !== undefined) throw endingServer();
            if (out !== undefined) {
              throw usageError('--out is for the result: give it to longwire task');
            }
          }
          const destination = chooseDestination(out, context);
          const stdin = await readStdin(context, { words, json });
          const call = async (client: LongwireClient, target: Target): Promise<ExitCode> => {
            const place = taskPlace(context, { server, client, target });
            if (detach && place === undefined) throw endingServer();
            const written: WrittenCall = {
              tool,
              words,
              json,
              loose,
              stdin,
              onTools: (tools) => rememberTools(context, server, tools),
              place,
            };
            let result: CallToolResult;
            if (detach && place !== undefined) {
              const made = await callAndDetach(context, client, written);
              if (made.became === 'task') {
                await printDetached(context, made.task, place);
                return 0;
              }
              context.terminal.remark('The call was answered, and became no task.');
              result = made.result;
            } else result = await callWritten(context, client, written);
            const who = `The tool ${sanitizeLine(tool)}`;
            return await printAnswer(context, result, { destination, source: tool, who });
          };
          return await (detach ? withTaskClient : withClient)(context, server, call, { mayAsk });
        }),
    );
};
