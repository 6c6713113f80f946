import { nearest } from '../nearest.js';
import { offsetOf, valueAt, type Located } from './document.js';
import type { Problems } from './problems.js';
import { knownKeys, type Issue } from './schema.js';

/** Says of what the schema found wrong what it is and what to write instead. */
export function addIssues(document: Located, issues: readonly Issue[], problems: Problems): void {
  const misspelt = new Set<string>();
  for (const { path, ...issue } of issues) {
    if (issue.code !== 'unrecognized_keys') continue;
    for (const key of issue.keys) {
      const known = knownKeys(path);
      const [near] = nearest(key, known);
      if (near !== undefined) misspelt.add(JSON.stringify([...path, near]));
      const guess =
        near === undefined ? `; there are ${known.join(', ')}` : `: did you mean "${near}"?`;
      const message = `unknown key ${quoted(key)} in ${placeIn(path)}${guess}`;
      problems.add(offsetOf(document, [...path, key]), message);
    }
  }
  for (const issue of issues) {
    const { path } = issue;
    if (issue.code === 'unrecognized_keys') continue;
    const found = valueAt(document, path);
    const last = path.at(-1);
    if (found !== undefined || last === undefined) {
      problems.add(found?.offset ?? 0, `${placeIn(path)}: ${wrong(issue, found)}`);
    } else if (!misspelt.has(JSON.stringify(path))) {
      const message = `${placeIn(path.slice(0, -1))} has no ${quoted(last)}`;
      problems.add(offsetOf(document, path), message);
    }
  }
}

/** What a path leads to, in words: `"timeouts" of server "market"`. */
export function placeIn(path: readonly PropertyKey[]): string {
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

/** What was expected, and what is there; never the value itself, which may be a secret. */
function wrong(issue: Issue, found: Located | undefined): string {
  switch (issue.code) {
    case 'invalid_type': {
      const expected = issue.expected === 'record' ? 'object' : String(issue.expected);
      return `expected ${withArticle(expected)}, found ${kindOf(found)}`;
    }
    case 'invalid_value': {
      const values = issue.values.map(String);
      const value = found?.kind === 'value' ? String(found.value) : '';
      const [near] = nearest(value, values);
      const expected = `expected one of ${values.join(', ')}`;
      return near === undefined ? expected : `${expected}; did you mean ${near}?`;
    }
    case 'too_small': {
      if (issue.origin === 'string') return 'expected text, found nothing';
      return `expected a number ${issue.inclusive === true ? 'from' : 'above'} ${issue.minimum}`;
    }
    default:
      return issue.message;
  }
}

function kindOf(found: Located | undefined): string {
  if (found === undefined) return 'nothing';
  if (found.kind !== 'value') return withArticle(found.kind);
  return found.value === null ? 'null' : withArticle(typeof found.value);
}

function withArticle(kind: string): string {
  if (kind === 'int') return 'a whole number';
  return `${/^[aeio]/.test(kind) ? 'an' : 'a'} ${kind}`;
}

function quoted(key: PropertyKey): string {
  return JSON.stringify(String(key));
}
