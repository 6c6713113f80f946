import { isDeepStrictEqual } from 'node:util';
import type { Tool, ToolAnnotations } from '@longwire/client';
import { isObject } from '@longwire/client/internal';

/** A tool as its server lists it: all that a person sees of it. */
export type ToolDefinition = Pick<
  Tool,
  'name' | 'title' | 'description' | 'inputSchema' | 'outputSchema' | 'annotations'
>;

/** What a person is asked to approve. */
export interface ApprovalRequest {
  /** The name of the source that has the tool. */
  server: string;
  /** The tool's name on its server. */
  tool: string;
  /** For whom the call is made, by `callOptions`; `undefined`: nobody but the source. */
  principal: string | undefined;
  arguments: Record<string, unknown>;
  /** What the server says of the tool. It is the server's word, not a guarantee. */
  annotations: ToolAnnotations | undefined;
  /** The tool as its server lists it now. */
  definition: ToolDefinition;
  /** The tool as it was when it was last allowed, if it has changed since: show what changed. */
  previous: ToolDefinition | undefined;
  /** Aborted with the turn: withdraw the question. */
  signal: AbortSignal;
}

/**
 * The answer. `true` allows this call. `'always'` allows this tool as it is now, to the same principal
 * and as long as the agent lives: when its name, description, schema or hints change, the person is asked again.
 * Anything else declines the call; its reason reaches Claude verbatim, for example `nobody could be
 * asked`. Without a reason, Claude is told that the user declined.
 */
export type ApprovalDecision = boolean | 'always' | { allow: boolean | 'always'; reason?: string };

/** Asked before a call that needs approval. What it throws ends the turn. */
export type ApprovalHook = (
  request: ApprovalRequest,
) => ApprovalDecision | Promise<ApprovalDecision>;

/** Who is asked, and about which calls. */
export interface ApprovalOptions {
  /**
   * Which calls are asked about:
   *
   * - `changing`: all, except calls of tools that only read or destroy nothing. That is believed of
   *   a `trusted` server and of the program's own override;
   * - `always`: all, whatever the hints say;
   * - a function: those for which it returns anything but `false`.
   *
   * A tool that was allowed with `'always'` and has not changed is not asked about. Default `changing`.
   */
  ask?: 'changing' | 'always' | ((request: ApprovalRequest) => boolean | Promise<boolean>);
  /** Asks the person. */
  hook: ApprovalHook;
}

/** A call that may need approval. */
export interface CallToApprove {
  /** The source of the tool; an answer is stored by it, the principal and the tool's name. */
  source: object;
  server: string;
  principal: string | undefined;
  tool: Tool;
  /** The trusted hints of the tool. */
  hints: ToolAnnotations | undefined;
  arguments: Record<string, unknown>;
}

/** The outcome of a question. */
export interface Decision {
  allow: boolean;
  reason: string | undefined;
}

interface Allowed {
  definition: ToolDefinition;
  always: boolean;
}

/** Decides on calls, and stores the definitions of allowed tools. */
export class Approvals {
  readonly #options: Required<ApprovalOptions> | undefined;
  readonly #allowed = new WeakMap<object, Map<string, Allowed>>();

  /** Without options every call is allowed. */
  constructor(options: Required<ApprovalOptions> | undefined) {
    this.#options = options;
  }

  /** @throws what the hook throws. */
  async decide(call: CallToApprove, signal: AbortSignal): Promise<Decision> {
    const { source, server, principal, tool } = call;
    const options = this.#options;
    if (options === undefined) return { allow: true, reason: undefined };
    const definition = definitionOf(tool);
    const key = JSON.stringify([tool.name, principal]);
    const earlier = this.#allowed.get(source)?.get(key);
    const isSame = earlier !== undefined && isDeepStrictEqual(earlier.definition, definition);
    if (earlier?.always === true && isSame) return { allow: true, reason: undefined };
    const request: ApprovalRequest = {
      server,
      tool: tool.name,
      principal,
      arguments: call.arguments,
      annotations: tool.annotations,
      definition,
      previous: isSame ? undefined : earlier?.definition,
      signal,
    };
    const answer = (await needsAnswer(options.ask, request, call.hints))
      ? await options.hook(request)
      : true;
    const { allow, reason } = isObject(answer) ? answer : { allow: answer, reason: undefined };
    if (allow !== true && allow !== 'always') return { allow: false, reason };
    const tools = this.#allowed.get(source) ?? new Map<string, Allowed>();
    this.#allowed.set(source, tools.set(key, { definition, always: allow === 'always' }));
    return { allow: true, reason };
  }
}

/** Whether a tool is the same in two lists. */
export function isUnchanged(before: Tool, now: Tool): boolean {
  return before === now || isDeepStrictEqual(definitionOf(before), definitionOf(now));
}

async function needsAnswer(
  ask: Required<ApprovalOptions>['ask'],
  request: ApprovalRequest,
  hints: ToolAnnotations | undefined,
): Promise<boolean> {
  if (ask === 'always') return true;
  if (ask === 'changing') return mayChangeThings(hints);
  return (await ask(request)) !== false;
}

/** A copy, because the owner of the list may change it. */
function definitionOf(tool: Tool): ToolDefinition {
  const { name, title, description, inputSchema, outputSchema, annotations } = tool;
  return structuredClone({
    name,
    inputSchema,
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(outputSchema !== undefined && { outputSchema }),
    ...(annotations !== undefined && { annotations }),
  });
}

/**
 * Whether a tool may change things: yes, unless its trusted hints say that it only reads or is not
 * destructive.
 */
export function mayChangeThings(hints: ToolAnnotations | undefined): boolean {
  return hints?.readOnlyHint !== true && hints?.destructiveHint !== false;
}

/** What Claude is told of a declined call. */
export function declinedText(reason: string | undefined): string {
  const told = reason ? `This call was not approved: ${reason}` : 'The user declined this call.';
  return `${told}\nThe tool did not run. Do not try the same again unless the user asks for it.`;
}
