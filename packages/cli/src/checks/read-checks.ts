import { DEFAULT_JSON_BOUNDS, parseExactJson, readTextFile } from '@longwire/client/internal';
import {
  checksOf,
  parseChecks,
  type Check,
  type RecordedChecks,
  type RecordedLine,
} from '@longwire/recording';
import { usageError } from '../command-error.js';
import { readRecording } from '../read-recording.js';

/**
 * Reads a file of checks. `shown` is what messages call it.
 *
 * @throws LongwireError (usage, code `config`) that says what is wrong, and where.
 */
export function readChecks(path: string, shown: string): Check[] {
  return checksIn(textOf(path, shown), shown);
}

/**
 * Reads the text of a file of checks.
 *
 * @throws as {@link readChecks}.
 */
export function checksIn(text: string, shown: string): Check[] {
  try {
    return parseChecks(parseExactJson(text, DEFAULT_JSON_BOUNDS));
  } catch (cause) {
    throw unusable(shown, cause);
  }
}

/**
 * Makes checks of a recording: each call is to be answered as it was.
 *
 * @throws as {@link readChecks}.
 */
export async function readRecordedChecks(
  path: string,
  shown: string,
  signal: AbortSignal,
): Promise<RecordedChecks> {
  const lines: RecordedLine[] = [];
  for await (const more of readRecording(path, shown, signal)) {
    for (const line of more) if (line.type === 'call' || line.type === 'end') lines.push(line);
  }
  return checksOf(lines);
}

function textOf(path: string, shown: string): string {
  try {
    return readTextFile(path);
  } catch (cause) {
    throw unusable(shown, cause);
  }
}

function unusable(shown: string, cause: unknown): Error {
  const { message } = cause as Error;
  return usageError(`${shown} cannot be used: ${message}`, { code: 'config', cause });
}
