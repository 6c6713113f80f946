import type { Result } from '@modelcontextprotocol/client';
import { LongwireError } from '../errors.js';

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
}

/** One page of a list, and the cursor that it was asked for with. */
export interface Page {
  cursor: string | undefined;
  result: Result;
}

/**
 * Asks for the pages of a list, one after the other.
 *
 * @throws LongwireError `limit-exceeded` if they are too much together; `protocol` if they repeat;
 * what `ask` throws.
 */
export async function* pagesOf({
  method,
  key,
  ask,
  bounds,
}: PageSource): AsyncGenerator<Page, void> {
  const { maxListBytes, maxListItems, maxListPages } = bounds;
  const cursors = new Set<string>();
  let cursor: string | undefined;
  let bytes = 0;
  let items = 0;
  for (let pages = 1; ; pages++) {
    const result = await ask(cursor === undefined ? {} : { cursor });
    const page = result[key];
    items += Array.isArray(page) ? page.length : 0;
    if (items > maxListItems) throw tooLong(method, `${maxListItems} items`, 'maxListItems');
    bytes += JSON.stringify(result).length;
    if (bytes > maxListBytes) throw tooLong(method, `${maxListBytes} bytes`, 'maxListBytes');
    yield { cursor, result };
    cursor = nextCursor(result);
    if (cursor === undefined) return;
    if (cursors.has(cursor)) {
      throw new LongwireError(`the pages of ${method} do not end: the server repeats its cursor`, {
        code: 'protocol',
        certainty: 'answered',
      });
    }
    if (pages >= maxListPages) throw tooLong(method, `${maxListPages} pages`, 'maxListPages');
    cursors.add(cursor);
  }
}

/** The cursor of the page behind this one, if there is one. */
export function nextCursor(page: Result): string | undefined {
  const cursor = page['nextCursor'];
  return typeof cursor === 'string' && cursor !== '' ? cursor : undefined;
}

function tooLong(method: string, most: string, option: keyof ListBounds): LongwireError {
  return new LongwireError(`the server's answer to ${method} is longer than ${most}`, {
    code: 'limit-exceeded',
    certainty: 'answered',
    hint: `raise limits.${option} if this server may list so much`,
  });
}
