import { LongwireError } from '@longwire/client';

/** Wrong usage, found before anything was sent: exit code 2. The message says what to write instead. */
export function usageError(
  message: string,
  options: { code?: 'invalid-arguments' | 'unknown-tool' | 'config'; cause?: unknown } = {},
): LongwireError {
  const { code = 'invalid-arguments', ...rest } = options;
  return new LongwireError(message, { code, certainty: 'not-sent', ...rest });
}
