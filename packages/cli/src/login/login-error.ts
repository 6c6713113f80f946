import { LongwireError, type Certainty } from '@longwire/client';

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

  constructor(message: string, options: { target: string; scope?: string | undefined }) {
    const { target, scope } = options;
    const scopes = scope === undefined ? '' : ` --scope '${scope}'`;
    super(message, { hint: `run: longwire login ${target}${scopes}` });
  }
}
