import { METHOD_NOT_FOUND } from '@modelcontextprotocol/client';
import { pagesOf, type PageSource } from '../connection/pages.js';
import { LongwireError, ServerError } from '../errors.js';

/** What reading a list needs. */
export interface PagesOptions extends Omit<PageSource, 'onIncomplete'> {
  /** The field that every entry must have as a string, such as `name`. */
  field: string;
  /** Called, once a page, when entries or pages are left out because they cannot be used. */
  onMalformed: (error: LongwireError) => void;
}

/**
 * Reads a list page by page, its entries as the server sent them. A server that does not know
 * the method has an empty list.
 */
export async function readPages<Entry>(options: PagesOptions): Promise<Entry[]> {
  const { method, key, field, onMalformed } = options;
  const entries: Entry[] = [];
  try {
    for await (const { result } of pagesOf({ ...options, onIncomplete: onMalformed })) {
      const page = result[key];
      if (!Array.isArray(page)) {
        throw broken(`the server's answer to ${method} has no array of ${key}`);
      }
      let omitted = 0;
      for (const entry of page as unknown[]) {
        if (isUsable(entry, field)) entries.push(entry as Entry);
        else omitted++;
      }
      if (omitted > 0) onMalformed(broken(omittedOf(method, field, omitted)));
    }
  } catch (error) {
    const isUnknown = error instanceof ServerError && error.number === METHOD_NOT_FOUND;
    if (!isUnknown || entries.length > 0) throw error;
  }
  return entries;
}

function isUsable(entry: unknown, field: string): boolean {
  return (
    typeof entry === 'object' &&
    entry !== null &&
    typeof (entry as Record<string, unknown>)[field] === 'string'
  );
}

function omittedOf(method: string, field: string, count: number): string {
  return count === 1
    ? `an entry of ${method} has no ${field} and is left out`
    : `${count} entries of ${method} have no ${field} and are left out`;
}

function broken(message: string): LongwireError {
  return new LongwireError(message, { code: 'protocol', certainty: 'answered' });
}
