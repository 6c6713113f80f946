import { offsetOf, valueAt, valueOf, type Located } from './document.js';
import type { Problems } from './problems.js';
import { quoted, schemaProblems, type FilePath, type SchemaIssue } from './schema-problems.js';
import { fileSchema } from './schema.js';

/** Adds what the schema found wrong in a document to its problems. */
export function addIssues(
  document: Located,
  issues: readonly SchemaIssue[],
  problems: Problems,
): void {
  const found = schemaProblems(issues, {
    schema: fileSchema,
    valueAt: (path) => {
      const value = valueAt(document, path);
      return value === undefined ? undefined : valueOf(value);
    },
    placeOf: (path) => valueAt(document, path)?.offset ?? document.offset,
    placeOfKey: (path) => offsetOf(document, path),
    nameOf: placeIn,
  });
  for (const { place, message } of found) problems.add(place, message);
}

/** What a path leads to, in words: `"timeouts" of server "market"`. */
export function placeIn(path: FilePath): string {
  const [first, second, third, fourth] = path;
  if (first === undefined) return 'the file';
  if (first === 'profiles' && second !== undefined) {
    const profile = `profile ${quoted(second)}`;
    if (third === undefined) return profile;
    if (third !== 'servers' || fourth === undefined) return `${quoted(third)} of ${profile}`;
    return `${placeIn(path.slice(2))} in ${profile}`;
  }
  const isServer = first === 'servers' || first === 'mcpServers';
  if (!isServer || second === undefined) return quoted(first);
  const server = `server ${quoted(second)}`;
  const inner = path.slice(2);
  return inner.length === 0 ? server : `"${inner.map(String).join('.')}" of ${server}`;
}
