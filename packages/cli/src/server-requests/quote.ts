import { loadWideText, wrap } from '../display-width.js';
import { sanitizeForScreen } from '../sanitize.js';

/** Nobody reads more than this before a question. */
const maxLength = 2000;
const maxLines = 20;

/**
 * Text that a stranger wrote, as lines that each begin with a bar: none of them can pass for a line of
 * ours. What is too long is cut, unless the `whole` is wanted, and the last line says by how much.
 */
export async function quoted(
  text: string,
  columns: number,
  { whole = false }: { whole?: boolean } = {},
): Promise<string[]> {
  await loadWideText();
  const width = Math.max(10, columns - 3);
  const looked = whole ? text : text.slice(0, maxLength);
  const shown = sanitizeForScreen(looked).trim().replaceAll('\t', '  ');
  const lines = shown.split('\n').flatMap((line) => wrap(line, width));
  const kept = whole ? lines : lines.slice(0, maxLines);
  const rest = text.length - looked.length;
  const isCut = rest > 0 || lines.length > kept.length;
  const more = rest > 0 ? `, ${rest} characters more` : '';
  return [...kept.map((line) => `│ ${line}`), ...(isCut ? [`└ cut here${more}`] : [])];
}
