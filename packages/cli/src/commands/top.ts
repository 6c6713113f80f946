import { usageError } from '../command-error.js';
import type { AddCommand, Context } from '../context.js';
import { addShownOptions, openShown, type ShownOptions } from '../dash/shown-options.js';
import type { ExitCode } from '../exit-codes.js';

/** `longwire top [target …]` */
export const addTop: AddCommand = (program, run) => {
  const command = program
    .command('top')
    .description('what servers do, live, in the terminal: servers, calls, events');
  addShownOptions(command)
    .addHelpText(
      'after',
      `
? shows the keys, q ends it. Nothing is called but what lists a server's tools,
resources and prompts, and what asks for its log messages.

Example:
  $ longwire top http://127.0.0.1:3001`,
    )
    .action((words: string[], options: ShownOptions) =>
      run((context) => top(context, words, options)),
    );
};

async function top(
  context: Context,
  words: readonly string[],
  options: ShownOptions,
): Promise<ExitCode> {
  checkTerminal(context);
  const shown = await openShown(context, words, options);
  try {
    const { runTop } = await import('../top/run-top.js');
    return await runTop(context, shown.source);
  } finally {
    await shown.close();
  }
}

/** @throws LongwireError (usage) where nothing can be drawn, or no key can be pressed. */
function checkTerminal({ terminal, stdin, env, options }: Context): void {
  const instead = 'longwire watch prints lines, longwire dash shows a page';
  if (options.json) throw usageError(`top has no JSON: ${instead}`);
  const isScreen = terminal.interactive && stdin.isTTY === true && env['TERM'] !== 'dumb';
  if (!isScreen) throw usageError(`top needs a terminal: ${instead}`);
}
