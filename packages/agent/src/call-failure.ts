import type { Certainty } from '@longwire/client';

/** What Claude is told of a call of which nobody knows whether it ran. */
export const UNKNOWN_OUTCOME: string =
  'its outcome is unknown: the tool may have run, or not, or in part. Assume neither. Do not repeat it blindly: if it changes things, first find out whether it did, and if you cannot, say so.';

const advice: Record<Certainty, string> = {
  'not-sent': 'The call was not sent, so the tool did not run.',
  refused: 'The server refused the call, so the tool did not run.',
  answered: 'The server answered the call with an error.',
  'outcome-unknown': `The call failed without an answer, and ${UNKNOWN_OUTCOME}`,
};

/** What Claude is told of a call that threw: first what is certain, then the message. */
export function callFailureText(error: unknown): string {
  // Anything that does not say how certain it is could have happened at any point.
  const certainty = certaintyOf(error) ?? 'outcome-unknown';
  return `${advice[certainty]} ${messageOf(error)}`.trim();
}

/** Without the hint of what to try, which is for who wrote the program: Claude has no such options. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'summary' in error && typeof error.summary === 'string' ? error.summary : error.message;
}

/** What is certain about a call that threw, if the error says. */
export function certaintyOf(error: unknown): Certainty | undefined {
  if (!(error instanceof Error) || !('certainty' in error)) return undefined;
  const { certainty } = error;
  return typeof certainty === 'string' && certainty in advice
    ? (certainty as Certainty)
    : undefined;
}
