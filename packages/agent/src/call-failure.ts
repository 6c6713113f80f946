import type { Certainty } from '@longwire/client';

const advice: Record<Certainty, string> = {
  'not-sent': 'The call was not sent, so the tool did not run.',
  refused: 'The server refused the call, so the tool did not run.',
  answered: 'The server answered the call with an error.',
  'outcome-unknown':
    'The call failed and its outcome is unknown: the tool may or may not have run. Do not repeat it blindly; if it changes things, first find out whether it did.',
};

/** What Claude is told of a call that threw: first what is certain, then the message. */
export function callFailureText(error: unknown): string {
  // Anything that does not say how certain it is could have happened at any point.
  const certainty = certaintyOf(error) ?? 'outcome-unknown';
  const message = error instanceof Error ? error.message : String(error);
  return `${advice[certainty]} ${message}`.trim();
}

/** What is certain about a call that threw, if the error says. */
export function certaintyOf(error: unknown): Certainty | undefined {
  if (!(error instanceof Error) || !('certainty' in error)) return undefined;
  const { certainty } = error;
  return typeof certainty === 'string' && certainty in advice
    ? (certainty as Certainty)
    : undefined;
}
