import { refuseCommand } from '../choose-servers.js';
import { usageError } from '../command-error.js';
import type { AddCommand, Context } from '../context.js';
import { addShownOptions, openShown, type ShownOptions } from '../dash/shown-options.js';
import type { ExitCode } from '../exit-codes.js';

interface TopOptions extends ShownOptions {
  page?: string;
}

/** `longwire top [target …]` */
export const addTop: AddCommand = (program, run) => {
  const command = program
    .command('top')
    .description('what servers do, live, in the terminal: servers, calls, events');
  addShownOptions(command)
    .option('--page <url>', 'show what a page shows: of a server kit, all nodes of a cluster')
    .addHelpText(
      'after',
      `
? shows the keys, q ends it. Nothing is called but what lists a server's tools,
resources and prompts, and what asks for its log messages.

Examples:
  $ longwire top http://127.0.0.1:3001
  $ longwire top --page http://127.0.0.1:3001/page --header 'Authorization: …'`,
    )
    .action((words: string[], options: TopOptions) =>
      run((context) => top(context, words, options)),
    );
};

async function top(
  context: Context,
  words: readonly string[],
  options: TopOptions,
): Promise<ExitCode> {
  checkTerminal(context);
  const { page, ...shows } = options;
  if (page !== undefined) return await topOfPage(context, page, { words, shows });
  const shown = await openShown(context, words, shows);
  try {
    const { runTop } = await import('../top/run-top.js');
    return await runTop(context, shown.source);
  } finally {
    await shown.close();
  }
}

/** Shows what another process shows on a page. */
async function topOfPage(
  context: Context,
  address: string,
  { words, shows }: { words: readonly string[]; shows: ShownOptions },
): Promise<ExitCode> {
  refuseCommand(context);
  const [named = Object.keys(shows).map((option) => `--${option}`)[0]] = words;
  if (named !== undefined) throw usageError(`--page shows what a page shows: leave out ${named}`);
  const [{ FollowedPage }, { PageClient }, { runTop }] = await Promise.all([
    import('../top/followed-page.js'),
    import('../top/page-client.js'),
    import('../top/run-top.js'),
  ]);
  const client = new PageClient(context, address);
  const page = await FollowedPage.open(client, context.interruptions.signal);
  try {
    return await runTop(context, page);
  } finally {
    await page.close();
  }
}

/** @throws LongwireError (usage) where nothing can be drawn, or no key can be pressed. */
function checkTerminal({ terminal, stdin, env, options }: Context): void {
  const instead = 'longwire watch prints lines, longwire dash shows a page';
  if (options.json) throw usageError(`top has no JSON: ${instead}`);
  const isScreen = terminal.interactive && stdin.isTTY === true && env['TERM'] !== 'dumb';
  if (!isScreen) throw usageError(`top needs a terminal: ${instead}`);
}
