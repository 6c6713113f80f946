import type { CallToolResult } from '@longwire/client';
import type { Context } from './context.js';
import type { ExitCode } from './exit-codes.js';
import { deliver } from './out/deliver.js';
import type { Destination } from './out/destination.js';
import { describeParts, outcomeOf } from './print-result.js';
import { resultParts } from './result-parts.js';
import { MediaFolder } from './save-media.js';
import { imageDrawer } from './terminal-images.js';

/** Prints what a call has answered: where `--out` says, as JSON, or for people. */
export async function printAnswer(
  context: Context,
  result: CallToolResult,
  {
    destination,
    source,
    who,
  }: {
    destination: Destination | undefined;
    /** What files are named for. */
    source: string;
    /** What has answered, for messages; sanitized. */
    who: string;
  },
): Promise<ExitCode> {
  const { terminal, options } = context;
  const { rest, hasFailed } = await deliver(
    context,
    // An error is no file.
    result.isError === true ? undefined : destination,
    resultParts(result),
    { source },
  );
  if (options.json) terminal.json(result);
  else {
    const media = new MediaFolder(imageDrawer(context));
    for (const line of await describeParts(rest, { tool: source, media })) terminal.print(line);
  }
  return hasFailed ? 1 : outcomeOf(terminal, result, who);
}
