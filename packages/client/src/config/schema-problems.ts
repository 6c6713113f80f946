import type { z } from 'zod';
import { nearest } from '../nearest.js';

/** What is wrong with a value, by zod. */
export type SchemaIssue = z.core.$ZodIssue;

/** The path of a value in a file, as in `['servers', 'market', 'url']`. */
export type FilePath = readonly PropertyKey[];

/** A file that was checked against a schema. */
export interface CheckedFile<Place> {
  schema: z.core.$ZodType;
  /** The value at a path; `undefined` where there is none. */
  valueAt(path: FilePath): unknown;
  /** Where the value at a path is, else the nearest that is around it. */
  placeOf(path: FilePath): Place;
  /** Where the key at the end of a path is, else the nearest value that is around it. */
  placeOfKey(path: FilePath): Place;
  /** A path in words; the empty one is the file. */
  nameOf(path: FilePath): string;
}

/** What is wrong with a file, and where. */
export interface SchemaProblem<Place> {
  place: Place;
  /** What is wrong and what to write instead. It never has the value, which may be a secret. */
  message: string;
}

/** What zod found wrong in a file as messages: what is wrong, where, and what to write instead. */
export function schemaProblems<Place>(
  issues: readonly SchemaIssue[],
  file: CheckedFile<Place>,
): SchemaProblem<Place>[] {
  const problems: SchemaProblem<Place>[] = [];
  const misspelt = new Set<string>();
  const plain = issues.map(withoutUnion);
  for (const issue of plain) {
    if (issue.code !== 'unrecognized_keys') continue;
    const { path, keys } = issue;
    const known = keysAt(file.schema, path);
    for (const key of keys) {
      const [near] = nearest(key, known);
      if (near !== undefined) misspelt.add(JSON.stringify([...path, near]));
      const guess =
        near === undefined ? `; there are ${known.join(', ')}` : `: did you mean "${near}"?`;
      problems.push({
        place: file.placeOfKey([...path, key]),
        message: `unknown key ${quoted(key)} in ${file.nameOf(path)}${guess}`,
      });
    }
  }
  for (const issue of plain) {
    if (issue.code === 'unrecognized_keys') continue;
    const { path } = issue;
    const found = file.valueAt(path);
    const last = path.at(-1);
    if (found !== undefined || last === undefined) {
      const message = `${file.nameOf(path)}: ${wrong(issue, found)}`;
      problems.push({ place: file.placeOf(path), message });
    } else if (!misspelt.has(JSON.stringify(path))) {
      // Where it is missing because it is misspelt, that is said already.
      const message = `${file.nameOf(path.slice(0, -1))} has no ${quoted(last)}`;
      problems.push({ place: file.placeOfKey(path), message });
    }
  }
  return problems;
}

/** A key as a message has it. */
export function quoted(key: PropertyKey): string {
  return JSON.stringify(String(key));
}

/** Of a union, the branch that is an object says most about an object. */
function withoutUnion(issue: SchemaIssue): SchemaIssue {
  if (issue.code !== 'invalid_union') return issue;
  const inner = issue.errors.flat().find(({ code }) => code === 'unrecognized_keys');
  if (inner === undefined) return issue;
  return withoutUnion({ ...inner, path: [...issue.path, ...inner.path] });
}

/** What was expected, and what is there. */
function wrong(issue: SchemaIssue, found: unknown): string {
  switch (issue.code) {
    case 'invalid_type': {
      const expected = issue.expected === 'record' ? 'object' : String(issue.expected);
      return `expected ${withArticle(expected)}, found ${kindOf(found)}`;
    }
    case 'invalid_value': {
      const values = issue.values.map(String);
      const [near] = typeof found === 'string' ? nearest(found, values) : [];
      const expected = `expected one of ${values.join(', ')}`;
      return near === undefined ? expected : `${expected}; did you mean ${near}?`;
    }
    case 'too_small': {
      if (issue.origin === 'string') return 'expected text, found nothing';
      if (issue.origin === 'array') return issue.message;
      return `expected a number ${issue.inclusive === true ? 'from' : 'above'} ${issue.minimum}`;
    }
    case 'invalid_key':
      return issue.issues[0]?.message ?? issue.message;
    default:
      return issue.message;
  }
}

function kindOf(found: unknown): string {
  if (found === undefined) return 'nothing';
  if (found === null) return 'null';
  return withArticle(Array.isArray(found) ? 'array' : typeof found);
}

function withArticle(kind: string): string {
  if (kind === 'int') return 'a whole number';
  return `${/^[aeio]/.test(kind) ? 'an' : 'a'} ${kind}`;
}

/** The keys that an object at a path may have. */
function keysAt(schema: z.core.$ZodType, path: FilePath): string[] {
  let current: z.core.$ZodType | undefined = schema;
  for (const step of path) {
    current = innerOf(current, step);
    if (current === undefined) return [];
  }
  return keysOf(current);
}

function innerOf(schema: z.core.$ZodType, step: PropertyKey): z.core.$ZodType | undefined {
  const { def } = bare(schema)._zod;
  switch (def.type) {
    case 'object':
      return def.shape[String(step)];
    case 'record':
      return def.valueType;
    case 'array':
      return def.element;
    case 'union':
      return def.options
        .map((option) => innerOf(option, step))
        .find((inner) => inner !== undefined);
    default:
      return undefined;
  }
}

function keysOf(schema: z.core.$ZodType): string[] {
  const { def } = bare(schema)._zod;
  if (def.type === 'union') return def.options.flatMap(keysOf);
  return def.type === 'object' ? Object.keys(def.shape) : [];
}

/** The schema without what says that a value may be missing. */
function bare(schema: z.core.$ZodType): z.core.$ZodTypes {
  const known = schema as z.core.$ZodTypes;
  const { def } = known._zod;
  return def.type === 'optional' || def.type === 'nullable' ? bare(def.innerType) : known;
}
