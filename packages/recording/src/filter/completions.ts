import type { Picture } from '../picture.js';
import { FIELDS } from './fields.js';
import { quoted, readTerms, type Span } from './terms.js';

/** What may stand where the caret is. */
export interface Completion {
  /** What replaces the part that is completed. */
  readonly text: string;
  /** What it means, where that is not plain. */
  readonly about?: string;
}

/** Completions, and the part of the text that each of them replaces. */
export interface Completions extends Span {
  readonly completions: readonly Completion[];
}

/** So many are offered, and so many calls and events are looked at for them. */
const MAX_OFFERED = 20;
const MAX_SEEN = 2000;

/** What can be written where the caret is, in the text of a filter, by what there is in a picture. */
export function completions(text: string, caret: number, picture: Picture): Completions {
  const term = readTerms(text).find(({ from, to }) => from <= caret && caret <= to);
  if (term === undefined) return { from: caret, to: caret, completions: keysLike('') };
  const { key, from, valueFrom, to, negated } = term;
  if (key === undefined) {
    const keyFrom = negated ? from + 1 : from;
    return { from: keyFrom, to, completions: keysLike(text.slice(keyFrom, caret)) };
  }
  if (caret < valueFrom) return { from: caret, to: caret, completions: [] };
  const begin = beginOfValue(text, valueFrom, caret);
  const sought = text.slice(begin, caret).replaceAll('"', '').toLowerCase();
  const values = [...new Set(valuesOf(key, picture))];
  const found = values.filter((value) => value.toLowerCase().includes(sought)).sort();
  // What begins with what is written comes first.
  const ranked = [
    ...found.filter((value) => value.toLowerCase().startsWith(sought)),
    ...found.filter((value) => !value.toLowerCase().startsWith(sought)),
  ];
  const offered = ranked.slice(0, MAX_OFFERED).map((value) => ({ text: quoted(value) }));
  return { from: begin, to, completions: offered };
}

/** Where the value begins that the caret is in: behind the last comma that is not quoted. */
function beginOfValue(text: string, from: number, caret: number): number {
  let [begin, quote] = [from, false];
  for (let at = from; at < caret; at++) {
    if (text[at] === '"' && text[at - 1] !== '\\') quote = !quote;
    if (text[at] === ',' && !quote) begin = at + 1;
  }
  return begin;
}

function keysLike(begin: string): Completion[] {
  return Object.entries(FIELDS)
    .filter(([key]) => key.startsWith(begin.toLowerCase()))
    .map(([key, { about }]) => ({ text: `${key}:`, about }));
}

function* valuesOf(key: string, picture: Picture): Iterable<string> {
  const known = Object.hasOwn(FIELDS, key) ? FIELDS[key]?.values : undefined;
  if (known !== undefined) {
    yield* known;
    return;
  }
  if (key === 'server') yield* picture.servers.keys();
  if (key === 'tool') yield* listed(picture, 'tools', 'name');
  if (key === 'prompt') yield* listed(picture, 'prompts', 'name');
  if (key === 'resource') yield* listed(picture, 'resources', 'uri');
  for (const call of [...picture.inFlight, ...picture.ended.slice(-MAX_SEEN)]) {
    const { method, name, end, by } = call;
    const isOfKey =
      (key === 'tool' && method === 'tools/call') ||
      (key === 'prompt' && method === 'prompts/get') ||
      (key === 'resource' && method.startsWith('resources/'));
    if (isOfKey && name !== undefined) yield name;
    if (key === 'method') yield method;
    if (key === 'code' && end?.error !== undefined) yield end.error.code;
    if (key === 'by' && by !== undefined) yield 'who' in by ? by.who : String(by.call);
  }
  for (const event of picture.events.slice(-MAX_SEEN)) {
    if (key === 'method' && event.type === 'notification') yield event.method;
    if (key === 'code' && event.type === 'error') yield event.error.code;
  }
}

function* listed(
  picture: Picture,
  kind: 'tools' | 'resources' | 'prompts',
  member: 'name' | 'uri',
): Iterable<string> {
  for (const { catalogue } of picture.servers.values()) {
    for (const { [member]: value } of catalogue[kind] ?? []) {
      if (typeof value === 'string') yield value;
    }
  }
}
