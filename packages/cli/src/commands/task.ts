import type { LongwireClient } from '@longwire/client';
import { splitServer } from '../choose-servers.js';
import { usageError } from '../command-error.js';
import type { AddCommand, Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { takeWords, targetArgument } from '../options.js';
import { chooseDestination, outOption } from '../out/destination.js';
import { printAnswer } from '../print-answer.js';
import { sanitizeLine } from '../sanitize.js';
import { addServerRequestOptions, type ServerRequestOptions } from '../server-requests/options.js';
import { isTarget, looksLikeAddress, type Target } from '../target.js';
import { printTask } from '../tasks/print-task.js';
import { awaitTask, cancelTask, readTask } from '../tasks/take-up.js';
import { takeUpCommand, taskPlace } from '../tasks/task-words.js';
import { withTaskClient } from '../tasks/with-task-client.js';

interface TaskOptions extends ServerRequestOptions {
  cancel?: boolean;
  out?: string;
  status?: boolean;
}

const example = 'longwire task http://127.0.0.1:3001 5b9c…';

/** What people write as a word. */
const OPTIONS: ReadonlySet<string> = new Set(['cancel', 'status']);

const more = `
A call becomes a task where its server keeps the answer. It can be left, with
Ctrl-C or --detach, and taken up here: this waits as long as the task takes,
unless --timeout or --deadline say otherwise, and Ctrl-C leaves it again.

Examples:
  $ id=$(longwire call http://127.0.0.1:3001 export_all --detach)
  $ longwire task http://127.0.0.1:3001 "$id"             (its progress, then its result)
  $ longwire task http://127.0.0.1:3001 "$id" --status
  $ longwire task http://127.0.0.1:3001 "$id" --cancel`;

/** `longwire task [target] <id>` */
export const addTask: AddCommand = (program, run) => {
  const command = program
    .command('task')
    .description('take up a task that a call has become: its progress, its result')
    .usage('[target] <id>');
  takeWords(command, [targetArgument, ['id', 'its id, as longwire call prints it']])
    .option('--status', 'print how it is, and leave it')
    .option('--cancel', 'cancel it, and print what it has become')
    .option(...outOption);
  addServerRequestOptions(command)
    .addHelpText('after', more)
    .action((all: string[], { cancel = false, status = false, out, ...mayAsk }: TaskOptions) =>
      run(async (context) => {
        const { server, taskId } = await splitTask(all, context);
        if (cancel && status) {
          throw usageError('--cancel prints how the task is, too: leave out --status');
        }
        if (out !== undefined && (cancel || status)) {
          const option = cancel ? '--cancel' : '--status';
          throw usageError(`--out is for the result, which ${option} does not print`);
        }
        const destination = chooseDestination(out, context);
        const take = async (client: LongwireClient, target: Target): Promise<ExitCode> => {
          const { terminal, options } = context;
          const task = client.task(taskId);
          const place = taskPlace(context, { server, client, target });
          if (!cancel && !status) {
            const result = await awaitTask(context, client, { task, place });
            const who = `The task ${sanitizeLine(taskId)}`;
            return await printAnswer(context, result, { destination, source: 'task', who });
          }
          const state = await (cancel ? cancelTask(context, task) : readTask(context, task));
          if (options.json) terminal.json(state);
          else printTask(terminal, state);
          const isTooLate = state.status === 'completed' || state.status === 'failed';
          if (!cancel || !isTooLate) return 0;
          const result = place && `; ${takeUpCommand(taskId, place)} prints its result`;
          terminal.remark(`It had ended before it could be cancelled${result ?? ''}.`);
          return 1;
        };
        return await withTaskClient(context, server, take, { mayAsk });
      }),
    );
};

/** The words `[target] <id>`; an address, or the name of a server, may stand behind the id, too. */
async function splitTask(
  words: readonly string[],
  context: Context,
): Promise<{ server: string | undefined; taskId: string }> {
  const [first, second, ...rest] = words;
  const isMissing = first === undefined || (second === undefined && isAddress(first));
  // A variable of the shell that is not set is an empty word.
  if (isMissing || first === '' || second === '') {
    throw usageError(`no task given: write its id, as in \`${example}\``);
  }
  if (second !== undefined && OPTIONS.has(first)) {
    throw usageError(`write ${first} as an option, after the id: longwire task … --${first}`);
  }
  if (rest.length > 0) {
    throw usageError(
      `"${rest[0]}" is one word too many: write the server and the id, as in \`${example}\``,
    );
  }
  if (second === undefined) return { server: undefined, taskId: first };
  const isSwapped =
    isAddress(second) ||
    (!isAddress(first) && (await isName(second, context)) && !(await isName(first, context)));
  return isSwapped ? { server: second, taskId: first } : { server: first, taskId: second };
}

function isAddress(word: string): boolean {
  return isTarget(word) || looksLikeAddress(word);
}

async function isName(word: string, context: Context): Promise<boolean> {
  const [server] = await splitServer([word, 'id'], context);
  return server === word;
}
