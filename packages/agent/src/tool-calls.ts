import type Anthropic from '@anthropic-ai/sdk';
import { isObject } from '@longwire/client/internal';
import { untilAborted } from './abort.js';
import { isUnchanged, declinedText, type Approvals } from './approval.js';
import { viewFor, type CallOptions, type CallOptionsFor } from './call-options.js';
import { EventQueue } from './event-queue.js';
import type { AgentEvent, ToolCallRef } from './events.js';
import { exactInput } from './exact-input.js';
import type { PendingTask } from './pending-task.js';
import { runCall } from './running-call.js';
import type { CatalogTool, FoundTool, ToolCatalog } from './tool-catalog.js';
import { errorResultBlock } from './tool-results.js';
import type { ToolRound } from './tool-round.js';

/** What the calls of a round run with. */
export interface ToolCallContext {
  catalog: Pick<ToolCatalog, 'find' | 'refresh'>;
  approvals: Approvals;
  maxResultChars: number;
  callOptions: CallOptionsFor;
  /** Takes a task that a call has become. */
  becameTask: (task: PendingTask) => void;
  signal: AbortSignal;
}

interface Call extends ToolCallRef {
  /** The name that Claude used. */
  name: string;
  found: CatalogTool;
  arguments: Record<string, unknown>;
}

/** A call whose options are known. */
interface PreparedCall extends Call {
  options: CallOptions;
}

/**
 * Runs the calls of a round and settles them there.
 *
 * 1. Each call that needs approval is asked about, one question at a time, because a person answers.
 *    The question shows the tool as its server lists it at that moment.
 * 2. A tool that has changed since its question does not run.
 * 3. All other calls run in parallel. An aborted signal ends them; the round holds what is known of
 *    each.
 *
 * @throws what the approval hook throws, before any call is made.
 */
export async function* runToolCalls(
  round: ToolRound,
  context: ToolCallContext,
): AsyncGenerator<AgentEvent, void, undefined> {
  const { catalog, approvals, signal } = context;
  yield* await catalog.refresh({ signal, turnBegins: false });
  const calls: Call[] = [];
  for (const use of round.uses) {
    const named = catalog.find(use.name);
    const found = named === 'gone' ? undefined : named;
    const ref = {
      id: use.id,
      server: found?.source.name ?? '',
      tool: found?.tool.name ?? use.name,
    };
    const input = exactInput(use);
    const args = isObject(input) ? input : {};
    const problem = found === undefined ? missingTool(use, named) : wrongArguments(use);
    if (problem !== undefined) round.settled(errorResultBlock(use.id, problem));
    yield { type: 'tool-call', ...ref, arguments: args };
    if (problem !== undefined) {
      yield { type: 'tool-result', ...ref, isError: true, error: new Error(problem) };
    } else if (found !== undefined) {
      calls.push({ ...ref, name: use.name, found, arguments: args });
    }
  }

  const approved: PreparedCall[] = [];
  for (const call of calls) {
    const options = await prepare(call, context);
    if (options instanceof Error) {
      yield unprepared(round, call, options);
      continue;
    }
    const { server, found } = call;
    const principal = options.principal?.id;
    const asked = { ...found, server, principal, arguments: call.arguments };
    const decision = await untilAborted(signal, approvals.decide(asked, signal));
    if (decision.allow) approved.push({ ...call, options });
    else yield refuse(round, call, decision.reason);
  }

  // While the person answers, a server may have replaced the tool.
  yield* await catalog.refresh({ signal, turnBegins: false });
  const unchanged: PreparedCall[] = [];
  for (const call of approved) {
    const now = catalog.find(call.name);
    const isSame = typeof now === 'object' && isUnchanged(call.found.tool, now.tool);
    if (isSame) unchanged.push(call);
    else yield refuse(round, call, 'the tool changed before it could be called');
  }

  signal.throwIfAborted();
  const events = new EventQueue<AgentEvent>();
  void Promise.all(unchanged.map((call) => run(call, round, context, events))).finally(() =>
    events.end(),
  );
  yield* events;
}

/** The options of a call, or why there are none. */
async function prepare(
  call: Call,
  { callOptions, signal }: ToolCallContext,
): Promise<CallOptions | Error> {
  const { server, tool, found } = call;
  try {
    const asked = callOptions({ server, tool, arguments: call.arguments });
    const options = await untilAborted(signal, Promise.resolve(asked));
    viewFor(found.source, options);
    return options;
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** The reason is for the program alone: it may say who somebody is. */
function unprepared(round: ToolRound, { id, server, tool }: Call, error: Error): AgentEvent {
  const told = 'The program could not prepare this call. The tool did not run.';
  round.settled(errorResultBlock(id, told));
  return { type: 'tool-result', id, server, tool, isError: true, error };
}

function refuse(round: ToolRound, call: Call, reason: string | undefined): AgentEvent {
  const { id, server, tool } = call;
  round.settled(errorResultBlock(id, declinedText(reason)));
  return { type: 'tool-refused', id, server, tool, reason };
}

/** Never rejects: failures are in the round and in the events. */
async function run(
  call: PreparedCall,
  round: ToolRound,
  { signal, maxResultChars, becameTask }: ToolCallContext,
  events: EventQueue<AgentEvent>,
): Promise<void> {
  round.started(call.id);
  await runCall(
    call,
    async (own) => {
      const { view, options } = viewFor(call.found.source, call.options);
      return view.callTool(call.tool, call.arguments, { ...options, ...own });
    },
    {
      settled: (result) => round.settled(result),
      becameTask,
      maxResultChars,
      signal,
      events,
    },
  );
}

function missingTool(use: Anthropic.ToolUseBlock, named: FoundTool): string {
  const name = JSON.stringify(use.name);
  return named === 'gone'
    ? `There is no tool named ${name} any more: it is gone from its server. Nothing was called.`
    : `There is no tool named ${name}; nothing was called.`;
}

function wrongArguments(use: Anthropic.ToolUseBlock): string | undefined {
  if (isObject(use.input)) return undefined;
  return 'The arguments must be a JSON object; nothing was called.';
}
