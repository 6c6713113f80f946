import { LongwireError, type Certainty } from '@longwire/client';
import { sanitizeLine } from '../sanitize.js';
import { shellWord } from '../shell-word.js';

/** A login that fails, is not there, or cannot be renewed. What to do is its own hint. */
export class LoginError extends LongwireError {
  override readonly name: string = 'LoginError';

  constructor(
    message: string,
    options: { hint?: string; certainty?: Certainty; cause?: unknown } = {},
  ) {
    const { hint, certainty = 'refused', cause } = options;
    super(message, { code: 'unauthorized', certainty, hint, cause });
  }
}

/** A server that wants a login which there is not, or not any more. Its hint says what to run. */
export class LoginNeededError extends LoginError {
  override readonly name: string = 'LoginNeededError';

  constructor(
    message: string,
    options: { target: string; scope?: string | undefined; certainty?: Certainty },
  ) {
    const { target, scope, certainty } = options;
    // A server names the scope, and a person copies the line.
    const scopes = scope === undefined ? '' : ` --scope ${shellWord(sanitizeLine(scope))}`;
    super(message, {
      hint: `run: longwire login ${shellWord(target)}${scopes}`,
      ...(certainty !== undefined && { certainty }),
    });
  }
}
