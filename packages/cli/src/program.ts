import { didYouMean, VERSION } from '@longwire/client/internal';
import { Command } from 'commander';
import { usageError } from './command-error.js';
import { loadCommands } from './commands.js';
import type { Action } from './context.js';
import { optionsHelp, overview } from './help.js';
import { meantCommand } from './meant-command.js';
import { addCommonOptions } from './options.js';

/** The last line of the help of each command. */
const elsewhere = '\nlongwire help options: what every command takes, servers, exit codes.';

/**
 * The options and the command that `args` name, wired to `run`, which is given what the command does.
 * Where they name none, all commands.
 */
export async function createProgram(options: {
  args: readonly string[];
  run: (program: Command, action: Action) => Promise<void>;
  writeOut: (text: string) => void;
  writeErr: (text: string) => void;
}): Promise<Command> {
  const { args, run, writeOut, writeErr } = options;
  const program = new Command('longwire');
  program
    .description('Look at, call, watch and chat with any MCP server.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .configureOutput({
      writeOut,
      writeErr,
      // It is reported as any other error is.
      outputError: () => {},
    })
    .configureHelp({
      subcommandTerm: (command) => `${command.name()} ${command.usage().replace('[options] ', '')}`,
    })
    .exitOverride()
    .addHelpText('afterAll', ({ command }) => (command === program ? '' : elsewhere));
  program.helpInformation = () => overview;
  addCommonOptions(program);
  for (const add of await loadCommands(args)) add(program, (action) => run(program, action));
  addHelp(program, writeOut);
  return program;
}

/** `longwire help [command]`: the library's own answers an unknown command with all there is. */
function addHelp(program: Command, writeOut: (text: string) => void): void {
  program
    .command('help')
    .description('print help for a command, or for the options of every command')
    .argument('[command...]', 'which, or `options`')
    .action((words: string[]) => {
      if (words[0] === 'options') return writeOut(optionsHelp());
      let command = program;
      for (const given of words) {
        const word = command === program ? meantCommand(given) : given;
        // What follows a command is not looked at, if it has no commands of its own.
        if (command !== program && command.commands.length === 0) break;
        const names = command.commands.map((each) => each.name());
        const found = command.commands.find((each) => each.name() === word);
        if (found === undefined) {
          const guess = didYouMean(word, names) || ' longwire --help lists them.';
          throw usageError(`unknown command '${word}'.${guess}`);
        }
        command = found;
      }
      command.help();
    });
}
