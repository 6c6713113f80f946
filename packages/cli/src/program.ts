import { didYouMean, VERSION } from '@longwire/client/internal';
import { Command } from 'commander';
import { usageError } from './command-error.js';
import { loadCommands } from './commands.js';
import type { Action } from './context.js';
import { addCommonOptions } from './options.js';

const epilogue = `
The server is the first word after the command if that is a URL, or a name in
the longwire.json of the working directory or in the file of --config, which may
be that of Claude, Cursor or VS Code; @all is every server that has a name. Or
it is what comes after --, which is started, spoken to over its stdin and
stdout, and ended; otherwise MCP_SERVER_URL. How a server talks is found out.
MCP_API_KEY is sent to the origin of MCP_SERVER_URL and nowhere else; what comes
after -- gets of the environment only PATH, HOME and their like, and what --env
says. A .env in the working directory is read.

Exit codes: 0 done; 1 the tool or the server answered with an error; 2 wrong
usage; 3 could not connect, or not an MCP server; 4 not authorized; 5 timed out;
6 connection lost in the middle of a call, outcome unknown; 130 interrupted.

Examples:
  $ longwire demo
  $ longwire tools http://127.0.0.1:3001
  $ longwire servers status
  $ longwire tools -- npx -y @modelcontextprotocol/server-everything`;

/**
 * The options and the command that `args` name, wired to `run`, which is given what the command does.
 * Where they name none, all commands.
 */
export async function createProgram(options: {
  args: readonly string[];
  run: (program: Command, action: Action) => Promise<void>;
  writeOut: (text: string) => void;
  writeErr: (text: string) => void;
  /** Given what is wrong with the words of the command line. */
  reportError: (text: string) => void;
}): Promise<Command> {
  const { args, run, writeOut, writeErr, reportError } = options;
  const program = new Command('longwire');
  program
    .description('Look at, call, watch and chat with any MCP server.')
    .version(VERSION, '-V, --version', 'print the version')
    .usage('<command> [target] [arguments] [options] [-- server command…]')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .configureOutput({
      writeOut,
      writeErr,
      outputError: (text) => reportError(`${text.trim()} (longwire --help says more)`),
    })
    .configureHelp({
      showGlobalOptions: true,
      subcommandTerm: (command) => `${command.name()} ${command.usage().replace('[options] ', '')}`,
    })
    .exitOverride()
    .addHelpText('after', epilogue);
  addCommonOptions(program);
  for (const add of await loadCommands(args)) add(program, (action) => run(program, action));
  addHelp(program);
  return program;
}

/** `longwire help [command]`: the library's own answers an unknown command with all there is. */
function addHelp(program: Command): void {
  program
    .command('help')
    .description('print help for a command')
    .argument('[command]', 'which')
    .action((name: string | undefined) => {
      const command = program.commands.find((candidate) => candidate.name() === name);
      if (name === undefined) program.help();
      if (command !== undefined) command.help();
      const names = program.commands.map((candidate) => candidate.name());
      throw usageError(
        `unknown command '${name}'.${didYouMean(name, names) || ' longwire --help lists them.'}`,
      );
    });
}
