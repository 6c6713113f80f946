import { METHOD_NOT_FOUND, type Result } from '@modelcontextprotocol/client';
import { LongwireError, ServerError } from '../errors.js';

/** A defence against a server whose cursor never ends. */
const MAX_PAGES = 1000;

/** What reading a list needs. */
export interface PagesOptions {
  /** The list's request, such as `tools/list`. */
  method: string;
  /** Where the entries stand in the result, such as `tools`. */
  key: string;
  /** The field that every entry must have as a string, such as `name`. */
  field: string;
  /** Asks for one page. */
  ask: (params: Record<string, unknown>) => Promise<Result>;
  /** Told of entries that are left out because they cannot be used. */
  onMalformed: (error: LongwireError) => void;
}

/**
 * Reads a list page by page, its entries as the server sent them. A server that does not know
 * the method has an empty list.
 */
export async function readPages<Entry>(options: PagesOptions): Promise<Entry[]> {
  const entries: Entry[] = [];
  const cursors = new Set<string>();
  let cursor: string | undefined;
  do {
    let result: Result;
    try {
      result = await options.ask(cursor === undefined ? {} : { cursor });
    } catch (error) {
      const isUnknown = error instanceof ServerError && error.number === METHOD_NOT_FOUND;
      if (isUnknown && cursor === undefined) return entries;
      throw error;
    }
    const page = result[options.key];
    if (!Array.isArray(page)) {
      throw broken(`the server's answer to ${options.method} has no array of ${options.key}`);
    }
    for (const entry of page as unknown[]) {
      if (isUsable(entry, options.field)) entries.push(entry as Entry);
      else {
        options.onMalformed(
          broken(`an entry of ${options.method} has no ${options.field} and is left out`),
        );
      }
    }
    cursor = nextCursor(result);
    if (cursor !== undefined && (cursors.has(cursor) || cursors.size === MAX_PAGES)) {
      throw broken(`the pages of ${options.method} do not end: the server repeats its cursor`);
    }
    if (cursor !== undefined) cursors.add(cursor);
  } while (cursor !== undefined);
  return entries;
}

function nextCursor(result: Result): string | undefined {
  const cursor = result['nextCursor'];
  return typeof cursor === 'string' && cursor !== '' ? cursor : undefined;
}

function isUsable(entry: unknown, field: string): boolean {
  return (
    typeof entry === 'object' &&
    entry !== null &&
    typeof (entry as Record<string, unknown>)[field] === 'string'
  );
}

function broken(message: string): LongwireError {
  return new LongwireError(message, { code: 'protocol', certainty: 'answered' });
}
