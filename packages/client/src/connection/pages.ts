import type { Result } from '@modelcontextprotocol/client';
import { LongwireError, ServerError } from '../errors.js';

/** What a list may hold, all its pages together. */
export interface ListBounds {
  /** Its size as JSON, in UTF-16 code units. */
  readonly maxListBytes: number;
  readonly maxListItems: number;
  readonly maxListPages: number;
}

/** Defaults of `limits.maxListBytes`, `limits.maxListItems` and `limits.maxListPages`. */
export const DEFAULT_LIST_BOUNDS: ListBounds = {
  maxListBytes: 64 * 1024 * 1024,
  maxListItems: 100_000,
  maxListPages: 1000,
};

/** What reading the pages of a list needs. */
export interface PageSource {
  /** The list's request, such as `tools/list`. */
  method: string;
  /** Where the entries stand in the result, such as `tools`. */
  key: string;
  /** Asks for one page. */
  ask: (params: Record<string, unknown>) => Promise<Result>;
  bounds: ListBounds;
  /** Told that the list may not be whole, because the server's cursors lead no further. */
  onIncomplete: (error: LongwireError) => void;
}

/** What a server names the next page by: a string, though some send a number. */
export type Cursor = string | number;

/** One page of a list, and the cursor that it was asked for with. */
export interface Page {
  cursor: Cursor | undefined;
  result: Result;
}

/**
 * Asks for the pages of a list, one after the other. A cursor that leads no further ends the list:
 * what came is kept.
 *
 * @throws LongwireError `limit-exceeded` if they are too much together; what `ask` throws.
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
      if (cursor !== '') onIncomplete(noFurther(method, `refuses its cursor ${cursor}`));
      return;
    }
    const page = result[key];
    items += Array.isArray(page) ? page.length : 0;
    if (items > maxListItems) throw tooLong(method, `${maxListItems} items`, 'maxListItems');
    const text = JSON.stringify(result);
    bytes += text.length;
    if (bytes > maxListBytes) throw tooLong(method, `${maxListBytes} bytes`, 'maxListBytes');
    // For a server that knows no pages, or means the end by an empty cursor, this is the beginning.
    if (text === before || text === first) {
      if (cursor !== '') onIncomplete(noFurther(method, 'sends the same page again'));
      return;
    }
    yield { cursor, result };
    first ??= text;
    before = text;
    const next = nextCursor(result);
    if (next === undefined) {
      if (!isEnd(result)) onIncomplete(noFurther(method, 'sends a cursor that is none'));
      return;
    }
    if (cursors.has(next)) {
      if (next !== '') onIncomplete(noFurther(method, 'repeats its cursor'));
      return;
    }
    if (pages >= maxListPages) throw tooLong(method, `${maxListPages} pages`, 'maxListPages');
    cursor = next;
    cursors.add(next);
  }
}

/**
 * The cursor of the page behind this one, if there is one; it goes back as it came. An empty one may
 * be one, too: who means the end by it sends the first page again.
 */
export function nextCursor(page: Result): Cursor | undefined {
  const cursor = page['nextCursor'];
  return typeof cursor === 'string' || typeof cursor === 'number' ? cursor : undefined;
}

/** Whether a page says that it is the last. */
function isEnd(page: Result): boolean {
  const cursor = page['nextCursor'] ?? false;
  return cursor === false;
}

function isRegular(cursor: Cursor): boolean {
  return typeof cursor === 'string' && cursor !== '';
}

function noFurther(method: string, why: string): LongwireError {
  return new LongwireError(
    `the list of ${method} may not be whole: the server ${why}; what came before is kept`,
    { code: 'protocol', certainty: 'answered' },
  );
}

function tooLong(method: string, most: string, option: keyof ListBounds): LongwireError {
  return new LongwireError(`the server's answer to ${method} is longer than ${most}`, {
    code: 'limit-exceeded',
    certainty: 'answered',
    hint: `raise limits.${option} if this server may list so much`,
  });
}
