import Anthropic from '@anthropic-ai/sdk';
import { setTimeout as delay } from 'node:timers/promises';

const firstDelayMs = 500;
const maxDelayMs = 8000;

/** The events that stand for 429, 500, 504 and 529 in a stream. */
const transientTypes: readonly unknown[] = [
  'rate_limit_error',
  'api_error',
  'timeout_error',
  'overloaded_error',
];

/**
 * Whether an answer that began with 200 failed for a transient reason. The SDK retries after such a
 * status, but not after such an event: https://platform.claude.com/docs/en/api/errors
 */
export function isTransientFailure(error: unknown): boolean {
  return (
    error instanceof Anthropic.APIError &&
    error.status === undefined &&
    transientTypes.includes(error.type)
  );
}

/** Waits before the next attempt, as the SDK does. @throws if the signal is aborted. */
export async function backOff(attempt: number, signal: AbortSignal): Promise<void> {
  const delayMs = Math.min(maxDelayMs, firstDelayMs * 2 ** attempt);
  await delay(delayMs * (1 - Math.random() / 4), undefined, { signal });
}
