import {
  createScanner,
  parseTree,
  printParseErrorCode,
  type Node,
  type ParseError,
} from 'jsonc-parser';
import { positionIn, Problems, type Source } from './problems.js';

/** A configuration has about six. */
export const MAX_DEPTH = 100;

/** A JSON value that knows where it is written. */
export type Located = LocatedObject | LocatedArray | LocatedValue;

export interface LocatedObject {
  kind: 'object';
  offset: number;
  members: ReadonlyMap<string, Property>;
}

export interface LocatedArray {
  kind: 'array';
  offset: number;
  items: readonly Located[];
}

export interface LocatedValue {
  kind: 'value';
  offset: number;
  value: string | number | boolean | null;
}

/** What an object has under one key. */
export interface Property {
  /** Where the key is. */
  keyOffset: number;
  value: Located;
}

/** What is wrong with one part of a document, and where the part is. */
export interface PartProblem {
  path: readonly (string | number)[];
  offset: number;
  message: string;
}

/**
 * Reads JSON with the positions of all that is in it; comments and trailing commas are allowed. Keys
 * that are there twice are reported to `onProblem`: `JSON.parse` would drop the first silently.
 *
 * @throws ConfigError for what is no JSON.
 */
export function parseDocument(source: Source, onProblem: (problem: PartProblem) => void): Located {
  const { text } = source;
  checkNesting(source);
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const problems = new Problems(source);
  const [first] = errors;
  // The others may follow from the first.
  if (first !== undefined) problems.add(first.offset, complaint(first));
  else if (root === undefined) problems.add(0, 'the file is empty');
  problems.throwIfAny();
  return located(root as Node, source, onProblem, []);
}

/** The functions that read a document call themselves for every level. */
function checkNesting(source: Source): void {
  const { text } = source;
  const scanner = createScanner(text, true);
  let depth = 0;
  for (;;) {
    scanner.scan();
    const offset = scanner.getTokenOffset();
    const token = text[offset];
    if (token === undefined) return;
    if (token === '{' || token === '[') depth++;
    if (token === '}' || token === ']') depth--;
    if (depth <= MAX_DEPTH) continue;
    const problems = new Problems(source);
    problems.add(offset, `nested deeper than ${MAX_DEPTH} levels`);
    problems.throwIfAny();
  }
}

function located(
  node: Node,
  source: Source,
  onProblem: (problem: PartProblem) => void,
  path: readonly (string | number)[],
): Located {
  const { offset, children = [] } = node;
  if (node.type === 'array') {
    const items = children.map((child, index) =>
      located(child, source, onProblem, [...path, index]),
    );
    return { kind: 'array', offset, items };
  }
  if (node.type !== 'object') {
    return { kind: 'value', offset, value: node.value as LocatedValue['value'] };
  }
  const members = new Map<string, Property>();
  for (const { children: [key, value] = [] } of children) {
    if (key === undefined || value === undefined) continue;
    const name = String(key.value);
    if (name === '__proto__') {
      const message = '"__proto__" cannot be a name here: an object would lose it';
      onProblem({ path: [...path, name], offset: key.offset, message });
      continue;
    }
    const earlier = members.get(name);
    if (earlier !== undefined) {
      const { line } = positionIn(source, earlier.keyOffset);
      const { line: again } = positionIn(source, key.offset);
      const what = isServerList(path) ? `server ${JSON.stringify(name)}` : JSON.stringify(name);
      const message = `${what} is there twice, on lines ${line} and ${again}: rename one`;
      onProblem({ path: [...path, name], offset: key.offset, message });
    }
    members.set(name, {
      keyOffset: key.offset,
      value: located(value, source, onProblem, [...path, name]),
    });
  }
  return { kind: 'object', offset, members };
}

function isServerList(path: readonly (string | number)[]): boolean {
  return path.at(-1) === 'servers' || path.at(-1) === 'mcpServers';
}

/** `CommaExpected` → `a comma is missing`, and so on. */
function complaint({ error }: ParseError): string {
  const code = printParseErrorCode(error);
  const words = code.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
  const [, expected] = /^(.*) expected$/.exec(words) ?? [];
  return expected === undefined
    ? `not JSON: ${words}`
    : `not JSON: expected ${expected === 'end of file' ? 'its end' : `a ${expected}`} here`;
}

/** The plain value. */
export function valueOf(document: Located): unknown {
  switch (document.kind) {
    case 'object':
      return Object.fromEntries(
        [...document.members].map(([key, { value }]) => [key, valueOf(value)]),
      );
    case 'array':
      return document.items.map(valueOf);
    case 'value':
      return document.value;
  }
}

/** What is under a key, where there is an object that has it. */
export function memberOf(document: Located | undefined, key: string): Property | undefined {
  return document?.kind === 'object' ? document.members.get(key) : undefined;
}

/** What is at a path; `undefined` where there is nothing. */
export function valueAt(document: Located, path: readonly PropertyKey[]): Located | undefined {
  let current: Located | undefined = document;
  for (const step of path) {
    current =
      current?.kind === 'array'
        ? current.items[Number(step)]
        : memberOf(current, String(step))?.value;
  }
  return current;
}

/** Where the key at the end of a path is, else what is there, else the nearest thing around it. */
export function offsetOf(document: Located, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const parent = valueAt(document, path.slice(0, length - 1));
    const member = memberOf(parent, String(path[length - 1]));
    const offset = member?.keyOffset ?? valueAt(document, path.slice(0, length))?.offset;
    if (offset !== undefined) return offset;
  }
  return document.offset;
}

/**
 * Lays one document over another: objects are merged, `null` takes away, anything else replaces
 * what was there.
 */
export function overlaid(base: Located | undefined, overlay: Located): Located {
  if (overlay.kind !== 'object') return overlay;
  const members = new Map(base?.kind === 'object' ? base.members : []);
  for (const [key, { keyOffset, value }] of overlay.members) {
    if (value.kind === 'value' && value.value === null) members.delete(key);
    else members.set(key, { keyOffset, value: overlaid(members.get(key)?.value, value) });
  }
  return { kind: 'object', offset: overlay.offset, members };
}
