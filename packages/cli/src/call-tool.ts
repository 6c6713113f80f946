import {
  HttpStatusError,
  LongwireError,
  ServerError,
  ToolResultError,
  type CallToolResult,
  type LongwireClient,
  type TaskHandle,
  type Tool,
} from '@longwire/client';
import { didYouMean, keepsTask, shortName } from '@longwire/client/internal';
import { findTool, toolArguments, unnamedArguments } from './arguments/tool-arguments.js';
import { CallRecovery } from './call-recovery.js';
import { usageError } from './command-error.js';
import { createStateWords } from './connection-words.js';
import type { Context } from './context.js';
import { askForLogs, showLogs } from './server-logs.js';
import { showProgress } from './progress.js';
import { sanitizeLine } from './sanitize.js';
import { operationOptions } from './session.js';
import { refuseWithoutTasks } from './tasks/task-support.js';
import { taskError, type TaskPlace } from './tasks/task-words.js';

/** How many arguments that the tool does not name are reported one by one. */
const maxRemarks = 10;

/** A call as it was written on a command line or at the prompt. */
export interface WrittenCall {
  tool: string;
  words: readonly string[];
  json?: string | undefined;
  /** Sends misspelt arguments, too. `undefined`: they are refused, and no option changes that. */
  loose?: boolean | undefined;
  /** What came on stdin, for `name=@-`. */
  stdin?: Buffer | undefined;
  /** Given the tools of the server, which are asked for to check the call. */
  onTools?: (tools: readonly Tool[]) => void;
  /** Where its task is taken up, if it becomes one: an interruption then leaves it and cancels nothing. */
  place?: TaskPlace | undefined;
  /** Given its task as soon as there is one: it is called only where it can become one. */
  onTask?: ((task: TaskHandle) => void) | undefined;
}

/**
 * Checks names, types and required arguments of a call by the tool's schema, sends it, and shows its
 * progress. If the connection was lost and is back, a remark says whether the call was sent again.
 */
export async function callWritten(
  context: Context,
  client: LongwireClient,
  { tool: name, words, json, loose, stdin, onTools, place, onTask }: WrittenCall,
  options: { signal?: AbortSignal } = {},
): Promise<CallToolResult> {
  const { terminal, cwd } = context;
  const limits = { ...operationOptions(context), ...options };
  const label = sanitizeLine(name);
  // A session shows all that its servers say, at any time.
  const isAlone = context.connected === undefined;
  const stopLogging = isAlone ? showLogs(terminal, client) : undefined;
  // The tool ran: a wrong answer is a remark, not a reason to call it again.
  const tellOdd = (error: ToolResultError): void =>
    terminal.remark(terminal.remarkColors.yellow(sanitizeLine(capitalized(error.summary))));
  const stopReports = client.on('error', (error) => {
    if (error instanceof ToolResultError) tellOdd(error);
  });
  const { signal } = limits;
  const recovery = new CallRecovery(client);
  const stopFollowing = followOnLiveLine(context, client, { label, recovery });
  let failure: unknown;
  try {
    terminal.showLive('asking for the tools');
    // The call does not wait for it: a server may never answer that.
    if (isAlone) void askForLogs(context, client, limits);
    const tools = await client.listTools(limits);
    onTools?.(tools);
    const tool = findTool(name, tools);
    if (onTask !== undefined) refuseWithoutTasks(client, tool);
    const onUnchecked = (reason: string): void =>
      terminal.remark(
        sanitizeLine(`The arguments are not checked by the tool's schema: ${reason}.`),
      );
    const args = await toolArguments(tool, { words, json, cwd, stdin, onUnchecked });
    const unnamed = unnamedArguments(tool, args);
    for (const { argument, names } of unnamed.slice(0, maxRemarks)) {
      const guess = didYouMean(argument, names);
      const said = `the tool names no argument \`${shortName(argument)}\`.${guess}`;
      // Such a tool ignores unknown arguments: a misspelt `dry_run` would be a real run.
      if (guess !== '' && loose !== true) {
        throw usageError(loose === undefined ? said : `${said} To send it all the same: --loose`);
      }
      terminal.remark(sanitizeLine(said.replace('the', 'The')));
    }
    if (unnamed.length > maxRemarks) {
      terminal.remark(`Nor does it name ${unnamed.length - maxRemarks} more of them.`);
    }
    terminal.showLive(label);
    recovery.called();
    const call = (): Promise<CallToolResult> =>
      client.callTool(name, args, {
        ...limits,
        ...(place !== undefined && { [keepsTask]: true }),
        ...(onTask !== undefined && { onTask }),
        onProgress: (progress) => showProgress(terminal, label, progress),
      });
    return await call().catch(async (error: unknown) => {
      if (!(error instanceof ServerError)) throw error;
      const { openRequiredUrls } = await import('./server-requests/required-urls.js');
      await openRequiredUrls(context, client.name, error);
      terminal.showLive(label);
      return await call();
    });
  } catch (error) {
    if (error instanceof ToolResultError) {
      tellOdd(error);
      return error.result;
    }
    failure = error;
    const said = error instanceof HttpStatusError ? named(error, label) : error;
    if (!(said instanceof LongwireError) || said.taskId === undefined) throw said;
    context.connected?.taskIds.add(said.taskId);
    const isLeft = signal?.aborted === true && place !== undefined;
    const isCancelled = !isLeft && client.state.name === 'ready';
    throw taskError(said, said.taskId, { isLeft, isCancelled, place });
  } finally {
    stopLogging?.();
    stopReports();
    stopFollowing();
    terminal.stopLive();
    const words = signal?.aborted === true ? undefined : recovery.words(failure);
    if (words !== undefined) terminal.remark(words);
  }
}

function capitalized(sentence: string): string {
  return `${sentence.slice(0, 1).toUpperCase()}${sentence.slice(1)}.`;
}

/** Follows the connection during a call, and shows its state until it is ready again. */
function followOnLiveLine(
  { terminal }: Context,
  client: LongwireClient,
  { label, recovery }: { label: string; recovery: CallRecovery },
): () => void {
  const words = createStateWords(client);
  return client.on('state', (state) => {
    recovery.follow(state);
    const shown = words(state);
    terminal.showLive(state.name === 'ready' ? label : `${label}: ${shown}`);
  });
}

/** Adds the name of the tool to an HTTP error, which only names the request. */
function named(error: HttpStatusError, tool: string): HttpStatusError {
  const { status, excerpt, certainty, retryAfterMs, taskId } = error;
  const cause = error;
  const options = { status, excerpt, certainty, retryAfterMs, taskId, cause };
  return new HttpStatusError(`the call of ${tool} failed: ${error.summary}`, options);
}
