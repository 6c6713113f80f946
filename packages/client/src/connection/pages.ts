import type { Result } from '@modelcontextprotocol/client';
import { LongwireError, ServerError } from '../errors.js';
import { LIMITS } from '../options/connection-table.js';
import { withDefaults } from '../options/option.js';

/** Limits of a list, all its pages together. */
export interface ListBounds {
  /** Its size as JSON, in UTF-16 code units. */
  readonly maxListBytes: number;
  readonly maxListItems: number;
  readonly maxListPages: number;
}

/** Defaults of `limits.maxListBytes`, `limits.maxListItems` and `limits.maxListPages`. */
export const DEFAULT_LIST_BOUNDS: ListBounds = withDefaults(LIMITS, undefined);

/** What is needed to read the pages of a list. */
export interface PageSource {
  /** The list's request, such as `tools/list`. */
  method: string;
  /** The member of the result with the entries, such as `tools`. */
  key: string;
  /** Asks for one page. */
  ask: (params: Record<string, unknown>) => Promise<Result>;
  bounds: ListBounds;
  /** Called when the list may be incomplete, because the server's cursors do not lead on. */
  onIncomplete: (error: LongwireError) => void;
}

/** A server's name for the next page: a string, but some servers send a number. */
export type Cursor = string | number;

/** One page of a list, and the cursor of its request. */
export interface Page {
  cursor: Cursor | undefined;
  result: Result;
}

/**
 * Asks for the pages of a list, one after the other. A cursor that does not lead on ends the list:
 * the pages before are kept.
 *
 * @throws LongwireError `limit-exceeded` if the pages exceed the limits; what `ask` throws.
 */
export async function* pagesOf({
  method,
  key,
  ask,
  bounds,
  onIncomplete,
}: PageSource): AsyncGenerator<Page, void> {
  const { maxListBytes, maxListItems, maxListPages } = bounds;
  const cursors = new Set<Cursor>();
  let cursor: Cursor | undefined;
  let first: string | undefined;
  let before: string | undefined;
  let bytes = 0;
  let items = 0;
  for (let pages = 1; ; pages++) {
    let result: Result;
    try {
      result = await ask(cursor === undefined ? {} : { cursor });
    } catch (error) {
      if (!(error instanceof ServerError) || cursor === undefined || isRegular(cursor)) throw error;
      if (cursor !== '') onIncomplete(incomplete(method, `refuses its cursor ${cursor}`));
      return;
    }
    const page = result[key];
    items += Array.isArray(page) ? page.length : 0;
    if (items > maxListItems) throw tooLong(method, `${maxListItems} items`, 'maxListItems');
    const text = JSON.stringify(result);
    bytes += text.length;
    if (bytes > maxListBytes) throw tooLong(method, `${maxListBytes} bytes`, 'maxListBytes');
    // A server without pages, or for which an empty cursor is the end, sends the first page again.
    if (text === before || text === first) {
      if (cursor !== '') onIncomplete(incomplete(method, 'sends the same page again'));
      return;
    }
    yield { cursor, result };
    first ??= text;
    before = text;
    const next = nextCursor(result);
    if (next === undefined) {
      if (!isEnd(result))
        onIncomplete(incomplete(method, 'sends a cursor that is neither a string nor a number'));
      return;
    }
    if (cursors.has(next)) {
      if (next !== '') onIncomplete(incomplete(method, 'repeats its cursor'));
      return;
    }
    if (pages >= maxListPages) throw tooLong(method, `${maxListPages} pages`, 'maxListPages');
    cursor = next;
    cursors.add(next);
  }
}

/**
 * The cursor of the next page, if there is one, exactly as the server sent it. An empty cursor counts:
 * a server for which it means the end sends the first page again.
 */
export function nextCursor(page: Result): Cursor | undefined {
  const cursor = page['nextCursor'];
  return typeof cursor === 'string' || typeof cursor === 'number' ? cursor : undefined;
}

/** Whether this is the last page. */
function isEnd(page: Result): boolean {
  const cursor = page['nextCursor'] ?? false;
  return cursor === false;
}

function isRegular(cursor: Cursor): boolean {
  return typeof cursor === 'string' && cursor !== '';
}

function incomplete(method: string, why: string): LongwireError {
  return new LongwireError(
    `the list of ${method} may not be whole: the server ${why}; the pages before are kept`,
    { code: 'protocol', certainty: 'answered' },
  );
}

function tooLong(method: string, most: string, option: keyof ListBounds): LongwireError {
  return new LongwireError(`the server's answer to ${method} is longer than ${most}`, {
    code: 'limit-exceeded',
    certainty: 'answered',
    hint: `raise limits.${option} if this list may be so long`,
  });
}
