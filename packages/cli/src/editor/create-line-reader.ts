import { join } from 'node:path';
import type { Context } from '../context.js';
import { userFolder } from '../user-folders.js';
import { HistoryFile } from './history-file.js';
import { LineEditor } from './line-editor.js';
import type { LineReader, PromptOptions } from './line-reader.js';
import { readPlainLines } from './plain-lines.js';

/**
 * Lines from a user, with editing and history, or from a pipe or a terminal that cannot move its cursor.
 * Lines that come before they are asked for wait.
 *
 * At a terminal, output goes above the line that is being typed. While a line is at work, what is typed
 * is kept: whole lines wait, the rest is on the next line. Ctrl-C goes to {@link Context.interruptions}.
 */
export function createLineReader(context: Context, options: PromptOptions): LineReader {
  const { terminal, stdin, env, redactor } = context;
  if (!terminal.canEdit(stdin)) return readPlainLines(context, options);
  const path = join(userFolder('state', env), `history-${options.history}`);
  return new LineEditor(context, { ...options, history: new HistoryFile(path, redactor) });
}
