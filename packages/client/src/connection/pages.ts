import type { Result } from '@modelcontextprotocol/client';
import { LongwireError } from '../errors.js';

/** A defence against a server whose cursor never ends. */
const MAX_PAGES = 1000;

/** One page of a list, and the cursor that it was asked for with. */
export interface Page {
  cursor: string | undefined;
  result: Result;
}

/**
 * Asks for the pages of a list, one after the other.
 *
 * @throws LongwireError `protocol` if they do not end; what `ask` throws.
 */
export async function* pagesOf(
  method: string,
  ask: (params: Record<string, unknown>) => Promise<Result>,
): AsyncGenerator<Page, void> {
  const cursors = new Set<string>();
  let cursor: string | undefined;
  do {
    const result = await ask(cursor === undefined ? {} : { cursor });
    yield { cursor, result };
    cursor = nextCursor(result);
    if (cursor !== undefined && (cursors.has(cursor) || cursors.size === MAX_PAGES)) {
      throw new LongwireError(`the pages of ${method} do not end: the server repeats its cursor`, {
        code: 'protocol',
        certainty: 'answered',
      });
    }
    if (cursor !== undefined) cursors.add(cursor);
  } while (cursor !== undefined);
}

/** The cursor of the page behind this one, if there is one. */
export function nextCursor(page: Result): string | undefined {
  const cursor = page['nextCursor'];
  return typeof cursor === 'string' && cursor !== '' ? cursor : undefined;
}
