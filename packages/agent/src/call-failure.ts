import {
  LongwireError,
  type Certainty,
  type ErrorCode,
  type ToolResultError,
} from '@longwire/client';
import { CERTAINTY_TEXT } from '@longwire/client/internal';

/** What Claude is told of a call whose outcome is unknown. */
export const UNKNOWN_OUTCOME: string =
  'its outcome is unknown: the tool may have run, or not, or in part. Assume neither. Do not repeat it blindly: if it changes things, first find out whether it did, and if you cannot, say so.';

const advice: Record<Certainty, string> = {
  'not-sent': `The call failed: ${CERTAINTY_TEXT['not-sent']}, so the tool did not run.`,
  refused: `The call failed: ${CERTAINTY_TEXT.refused}.`,
  answered: 'The server answered the call with an error.',
  'outcome-unknown': `The call failed without an answer, and ${UNKNOWN_OUTCOME}`,
};

/** An answer that is not an error of the server and cannot be used. */
const UNUSABLE_ANSWER =
  'The server answered the call, so the tool ran, but the answer cannot be used. Do not repeat the call for that.';

/** What Claude is told of a call that threw: first the certainty, then the message. */
export function callFailureText(error: unknown): string {
  // An error without a certainty may have happened at any point.
  const certainty = certaintyOf(error) ?? 'outcome-unknown';
  const isUnusable = certainty === 'answered' && isUnusableAnswer(error);
  return `${isUnusable ? UNUSABLE_ANSWER : advice[certainty]} ${messageOf(error)}`.trim();
}

/** What Claude is told of a task whose result could not be had. */
export function lostTaskText(error: unknown): string {
  return `${advice['outcome-unknown']} ${messageOf(error)}`.trim();
}

/** What Claude is told beside a result that does not match the tool's promise. */
export function oddResultText(error: ToolResultError): string {
  return `[${error.summary}. This is what it answered. Do not repeat the call for that.]`;
}

function isUnusableAnswer(error: unknown): boolean {
  return error instanceof LongwireError && unusable.has(error.code);
}

const unusable: ReadonlySet<ErrorCode> = new Set(['protocol', 'limit-exceeded']);

/** Without the hint, which is for the author of the program: Claude has no such options. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'summary' in error && typeof error.summary === 'string' ? error.summary : error.message;
}

/** The certainty of a call that threw, if the error has one. */
export function certaintyOf(error: unknown): Certainty | undefined {
  if (!(error instanceof Error) || !('certainty' in error)) return undefined;
  const { certainty } = error;
  return typeof certainty === 'string' && certainty in advice
    ? (certainty as Certainty)
    : undefined;
}
