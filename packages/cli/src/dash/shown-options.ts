import type { Command } from 'commander';
import { refuseCommand } from '../choose-servers.js';
import { usageError } from '../command-error.js';
import type { Context } from '../context.js';
import { showRecording, showServers, type ServersOptions, type Shown } from './shown.js';

/** What a command that shows servers is told to show. */
export interface ShownOptions {
  demo?: boolean;
  record?: string;
  replay?: string;
  force?: boolean;
}

/** Adds the targets and the options of a command that shows servers. */
export function addShownOptions(command: Command): Command {
  return command
    .argument(
      '[target...]',
      'URLs of servers, or names that longwire servers lists (default: @all)',
    )
    .option('--demo', 'show three embedded servers: metrics, logs, alerts')
    .option('--record <file>', 'write down all that happens, a line of JSON each')
    .option('--replay <file>', 'show again what was recorded')
    .option('--force', 'replace a file that is there');
}

/** @throws LongwireError (usage) for options that say different things. */
export function checkShown(
  context: Context,
  words: readonly string[],
  { demo = false, record, replay }: ShownOptions,
): void {
  if (demo && replay !== undefined) throw usageError('--demo and --replay: leave one of them out');
  const brings = demo ? '--demo brings servers of its own' : '--replay shows no servers';
  if (demo || replay !== undefined) {
    refuseCommand(context);
    if (words.length > 0) throw usageError(`${brings}: leave out "${words.join(' ')}"`);
  }
  if (replay !== undefined && record !== undefined) {
    throw usageError('--record is for what happens now, and --replay for what was: leave one out');
  }
}

/**
 * Opens what the words and options name: servers, or a recording.
 *
 * @throws LongwireError (usage) for options that say different things, or what cannot be shown.
 */
export async function openShown(
  context: Context,
  words: readonly string[],
  options: ShownOptions & ServersOptions,
): Promise<Shown> {
  checkShown(context, words, options);
  const { replay } = options;
  return replay === undefined
    ? await showServers(context, words, options)
    : await showRecording(context, replay);
}
