import type { ToolAnnotations } from '@longwire/client';

/** What a person is asked to approve. */
export interface ApprovalRequest {
  /** The name of the source that has the tool. */
  server: string;
  /** The tool's name on its server. */
  tool: string;
  arguments: Record<string, unknown>;
  /** What the server says of the tool. It is the server's word, not a guarantee. */
  annotations: ToolAnnotations | undefined;
  /** Aborted when the turn is: take the question back. */
  signal: AbortSignal;
}

/**
 * The answer. The reason of a refusal reaches Claude verbatim, for example `nobody could be asked`;
 * without one, Claude is told that the user declined.
 */
export type ApprovalDecision = boolean | { allow: boolean; reason?: string };

/** Asked before a tool that may change things is called. What it throws ends the turn. */
export type ApprovalHook = (
  request: ApprovalRequest,
) => ApprovalDecision | Promise<ApprovalDecision>;

/**
 * Whether a tool may change things, by its annotations: yes, unless it says that it only reads or
 * that it is not destructive.
 */
export function mayChangeThings(annotations: ToolAnnotations | undefined): boolean {
  return annotations?.readOnlyHint !== true && annotations?.destructiveHint !== false;
}

/** What Claude is told of a refusal. */
export function refusalText(reason: string | undefined): string {
  const refusal = reason ? `This call was not approved: ${reason}` : 'The user declined this call.';
  return `${refusal}\nThe tool did not run. Do not try the same again unless the user asks for it.`;
}
