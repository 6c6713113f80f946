import { isDeepStrictEqual } from 'node:util';
import type { Tool, ToolAnnotations } from '@longwire/client';
import { isRecord } from './records.js';

/** A tool as its server lists it: all that a person judges it by. */
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
  arguments: Record<string, unknown>;
  /** What the server says of the tool. It is the server's word, not a guarantee. */
  annotations: ToolAnnotations | undefined;
  /** The tool as its server lists it now. */
  definition: ToolDefinition;
  /** The tool as it was when it was last allowed, if it has changed since: show what changed. */
  previous: ToolDefinition | undefined;
  /** Aborted when the turn is: take the question back. */
  signal: AbortSignal;
}

/**
 * The answer. `true` is for this call. `'always'` is for this tool as it is now, for as long as
 * there is the agent: once its name, description, schema or hints change, it is asked about anew.
 * Anything else is a refusal; its reason reaches Claude verbatim, for example `nobody could be
 * asked`. Without one, Claude is told that the user declined.
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
   * - `changing`: all, but for those of tools of which a `trusted` server, or the program itself by
   *   an override, says that they only read or destroy nothing;
   * - `always`: all, whatever is said of the tool;
   * - a function: those for which it gives anything but `false`.
   *
   * Not asked about is what was answered with `'always'` and has not changed. Default `changing`.
   */
  ask?: 'changing' | 'always' | ((request: ApprovalRequest) => boolean | Promise<boolean>);
  /** Asks the person. */
  hook: ApprovalHook;
}

/** A call that may need approval. */
export interface CallToApprove {
  /** What has the tool; by it and the tool's name an answer is remembered. */
  source: object;
  server: string;
  tool: Tool;
  /** What is believed of the tool's hints. */
  hints: ToolAnnotations | undefined;
  arguments: Record<string, unknown>;
}

/** What became of a question. */
export interface Decision {
  allow: boolean;
  reason: string | undefined;
}

interface Allowed {
  definition: ToolDefinition;
  always: boolean;
}

/** Decides on calls, and remembers which tools were allowed as they were. */
export class Approvals {
  readonly #options: Required<ApprovalOptions> | undefined;
  readonly #allowed = new WeakMap<object, Map<string, Allowed>>();

  /** Without options every call is allowed. */
  constructor(options: Required<ApprovalOptions> | undefined) {
    this.#options = options;
  }

  /** @throws what the hook throws. */
  async decide(call: CallToApprove, signal: AbortSignal): Promise<Decision> {
    const { source, server, tool } = call;
    const options = this.#options;
    if (options === undefined) return { allow: true, reason: undefined };
    const definition = definitionOf(tool);
    const earlier = this.#allowed.get(source)?.get(tool.name);
    const isSame = earlier !== undefined && isDeepStrictEqual(earlier.definition, definition);
    if (earlier?.always === true && isSame) return { allow: true, reason: undefined };
    const request: ApprovalRequest = {
      server,
      tool: tool.name,
      arguments: call.arguments,
      annotations: tool.annotations,
      definition,
      previous: isSame ? undefined : earlier?.definition,
      signal,
    };
    const answer = (await needsAnswer(options.ask, request, call.hints))
      ? await options.hook(request)
      : true;
    const { allow, reason } = isRecord(answer) ? answer : { allow: answer, reason: undefined };
    if (allow !== true && allow !== 'always') return { allow: false, reason };
    this.#remember(source, { definition, always: allow === 'always' });
    return { allow: true, reason };
  }

  #remember(source: object, allowed: Allowed): void {
    const tools = this.#allowed.get(source) ?? new Map<string, Allowed>();
    this.#allowed.set(source, tools.set(allowed.definition.name, allowed));
  }
}

/** Whether two lists have the same of a tool. */
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

/** A copy: whoever has the list may change it. */
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
 * Whether a tool may change things, by the hints that are believed: yes, unless they say that it
 * only reads or that it is not destructive.
 */
export function mayChangeThings(hints: ToolAnnotations | undefined): boolean {
  return hints?.readOnlyHint !== true && hints?.destructiveHint !== false;
}

/** What Claude is told of a refusal. */
export function refusalText(reason: string | undefined): string {
  const refusal = reason ? `This call was not approved: ${reason}` : 'The user declined this call.';
  return `${refusal}\nThe tool did not run. Do not try the same again unless the user asks for it.`;
}
