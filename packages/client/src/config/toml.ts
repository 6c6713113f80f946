import { parse, TomlError } from 'smol-toml';
import { MAX_DEPTH, type Located, type Property } from './document.js';
import { Problems, type Source } from './problems.js';

/**
 * Reads TOML. The library gives no positions: everything in a table has the position of the table's
 * header.
 *
 * @throws ConfigError for what is no TOML.
 */
export function parseToml(source: Source): Located {
  try {
    const value: unknown = parse(source.text, { maxDepth: MAX_DEPTH, integersAsBigInt: false });
    return located(value, [], { text: source.text, offset: 0 });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason = ''] = error.message.replace(/^Invalid TOML document: /, '').split('\n');
    const problems = new Problems(source);
    const before = source.text.split('\n').slice(0, error.line - 1);
    const offset = before.reduce((sum, line) => sum + line.length + 1, 0) + error.column - 1;
    problems.add(offset, `not TOML: ${reason}`);
    problems.throwIfAny();
    throw error;
  }
}

function located(
  value: unknown,
  path: readonly string[],
  place: { text: string; offset: number },
): Located {
  const { text, offset } = place;
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => located(item, path, place));
    return { kind: 'array', offset, items };
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return { kind: 'value', offset, value };
  }
  // A configuration of servers needs no date, but a date is no table either.
  if (value instanceof Date || typeof value !== 'object' || value === null) {
    return { kind: 'value', offset, value: String(value) };
  }
  const members = Object.entries(value).map(([key, part]): [string, Property] => {
    const inner = [...path, key];
    const at = headerOf(inner, text) ?? offset;
    return [key, { keyOffset: at, value: located(part, inner, { text, offset: at }) }];
  });
  return { kind: 'object', offset, members: new Map(members) };
}

/** Where `[a.b]` is written, however its names are quoted; only the first two levels matter. */
function headerOf(path: readonly string[], text: string): number | undefined {
  if (path.length > 2) return undefined;
  const header = path.map((key) => JSON.stringify(key)).join('.');
  for (const { index, 0: line } of text.matchAll(/^[ \t]*\[[^\]\r\n]{1,500}\]/gm)) {
    const names = line.trim().slice(1, -1).split('.', path.length);
    const quoted = names.map((name) => JSON.stringify(name.trim().replace(/^(["'])(.*)\1$/, '$2')));
    if (quoted.join('.') === header) return index;
  }
  return undefined;
}
