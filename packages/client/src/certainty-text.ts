import type { Certainty } from './errors.js';

/** What is certain about a request that failed, in words that end a sentence about it. */
export const CERTAINTY_TEXT: Readonly<Record<Certainty, string>> = {
  'not-sent': 'it had not been sent',
  refused: 'the server had refused it and did not run it',
  answered: 'the server had answered it',
  'outcome-unknown': 'it had been sent, so whether it ran is not known',
};
