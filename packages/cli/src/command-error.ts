import { LongwireError } from '@longwire/client';

/** An error of the command itself; its message already says what to do. */
export class CommandError extends LongwireError {
  override readonly name: string = 'CommandError';
}

/** Wrong usage, found before anything was sent: exit code 2. The message says what to write instead. */
export function usageError(
  message: string,
  options: { code?: 'invalid-arguments' | 'unknown-tool' | 'config'; cause?: unknown } = {},
): CommandError {
  const { code = 'invalid-arguments', ...rest } = options;
  return new CommandError(message, { code, certainty: 'not-sent', ...rest });
}
