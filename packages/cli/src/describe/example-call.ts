import { isDeepStrictEqual } from 'node:util';
import { toJson, type Tool } from '@longwire/client';
import { JsonSchema } from '@longwire/client/internal';
import { coerce } from '../arguments/coerce.js';
import {
  allowedValues,
  alternatives,
  asSchema,
  inputSchema,
  requiredNames,
  typeOf,
  type Schema,
} from '../arguments/schema.js';
import { sanitize } from '../sanitize.js';
import { shellWord } from '../shell-word.js';

/** How deep made-up values go. */
const maxDepth = 6;

/** How many values an example has at most, those within others included: a schema may hold itself. */
const maxValues = 200;

/** How many items a list is given, and how long a text is made. */
const maxItems = 10;
const maxTextLength = 200;

/** How long the words of an example may be: a longer one is no example. */
const maxLength = 1000;

/** Values of texts whose format says what they look like. */
const formats: Readonly<Record<string, string>> = {
  date: '2026-01-31',
  'date-time': '2026-01-31T12:00:00Z',
  duration: 'PT1H',
  email: 'somebody@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  time: '12:00:00Z',
  uri: 'https://example.com/',
  url: 'https://example.com/',
  uuid: '123e4567-e89b-42d3-a456-426614174000',
};

/** The words of a call after the tool's name, as a shell takes them. */
export interface ExampleCall {
  words: string[];
  /** Whether the tool's schema takes them; a pattern, say, cannot be guessed. */
  fits: boolean;
}

/**
 * A call of a tool with the arguments that it requires, made up from their defaults, examples and types;
 * undefined if it would be too long to read.
 */
export async function exampleCall(tool: Tool): Promise<ExampleCall | undefined> {
  const root = inputSchema(tool.inputSchema);
  const properties = asSchema(root['properties']);
  const required = requiredNames(root);
  if (required.length > maxLength / 4) return undefined;
  const making = { root, left: maxValues };
  const entries = required.map((name) => [name, valueOf(properties[name], making, 0)] as const);
  const args = Object.fromEntries(entries);
  const isWritable = required.every((name) => /^[^=\p{Cc}]*[^=:\p{Cc}]$/u.test(name));
  const words = isWritable
    ? entries.map(([name, value]) => assignment(name, value, properties[name], root))
    : ['--args', toJson(args)];
  if (making.left < 0 || words.join(' ').length > maxLength || !isTypeable(words.join('')))
    return undefined;
  const checked = await new JsonSchema(tool.inputSchema ?? {}).check(args);
  return { words: words.map(shellWord), fits: checked.kind !== 'invalid' };
}

/** Whether a text is what it looks like, and can be copied. */
function isTypeable(text: string): boolean {
  return !/\p{Cc}/u.test(text) && sanitize(text) === text;
}

/** `name=value` where that becomes the value again, else `name:=JSON`. */
function assignment(name: string, value: unknown, schema: unknown, root: Schema): string {
  const text = textOf(value);
  if (text !== undefined && !text.startsWith('@')) {
    const coerced = coerce(text, schema, root);
    if (coerced.ok && isDeepStrictEqual(coerced.value, value)) return `${name}=${text}`;
  }
  return `${name}:=${toJson(value)}`;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (!Array.isArray(value)) return undefined;
  const items = value.map((item: unknown) => (Array.isArray(item) ? undefined : textOf(item)));
  return items.includes(undefined) ? undefined : items.join(',');
}

/** What the values of an example share. */
interface Making {
  root: Schema;
  /** How many more values there may be. */
  left: number;
}

function valueOf(schema: unknown, making: Making, depth: number): unknown {
  const { root } = making;
  if (making.left-- <= 0) return null;
  const plains = alternatives(schema, root);
  const plain = plains.find((each) => typeOf(each) !== 'null') ?? plains[0] ?? {};
  if ('default' in plain) return plain['default'];
  const { examples } = plain;
  if (Array.isArray(examples) && examples.length > 0) return examples[0];
  const allowed = allowedValues(plain);
  if (allowed !== undefined) return allowed[0];
  switch (typeOf(plain)) {
    case 'integer':
    case 'number':
      return numberFor(plain);
    case 'boolean':
      return false;
    case 'null':
      return null;
    case 'array':
      return listFor(plain, making, depth);
    case 'object':
      return objectFor(plain, making, depth);
    default:
      return textFor(plain);
  }
}

function numberFor(schema: Schema): number {
  const of = (keyword: string, otherwise: number): number => {
    const value = schema[keyword];
    return typeof value === 'number' ? value : otherwise;
  };
  const step = of('multipleOf', 1);
  const least = Math.max(of('minimum', 1), of('exclusiveMinimum', -Infinity) + step);
  const most = Math.min(of('maximum', Infinity), of('exclusiveMaximum', Infinity) - step);
  const value = Math.min(Math.max(least, step), most);
  const isWhole = typeOf(schema) === 'integer' || 'multipleOf' in schema;
  const stepped = isWhole ? Math.ceil(value / step) * step : value;
  return Number.isFinite(stepped) ? stepped : 1;
}

function textFor(schema: Schema): string {
  const { format, minLength, maxLength, contentEncoding } = schema;
  if (contentEncoding === 'base64') return 'dGV4dA==';
  if (typeof format === 'string' && Object.hasOwn(formats, format)) return formats[format] ?? '';
  const least = typeof minLength === 'number' ? minLength : 1;
  const most = typeof maxLength === 'number' ? maxLength : Infinity;
  const text = 'text'.padEnd(Math.min(least, maxTextLength), ' text');
  return text.slice(0, Math.max(0, most));
}

function listFor(schema: Schema, making: Making, depth: number): unknown[] {
  if (depth >= maxDepth) return [];
  const { minItems, maxItems: most, items, prefixItems } = schema;
  if (Array.isArray(prefixItems)) {
    return prefixItems.slice(0, maxItems).map((item) => valueOf(item, making, depth + 1));
  }
  const wanted = typeof minItems === 'number' ? Math.max(1, minItems) : 1;
  const length = Math.min(wanted, typeof most === 'number' ? most : wanted, maxItems);
  const item = valueOf(items, making, depth + 1);
  return Array.from({ length: Math.max(0, Math.floor(length)) }, () => item);
}

function objectFor(schema: Schema, making: Making, depth: number): object {
  if (depth >= maxDepth) return {};
  const properties = asSchema(schema['properties']);
  const names = requiredNames(schema).slice(0, maxItems * 10);
  return Object.fromEntries(
    names.map((name) => [name, valueOf(properties[name], making, depth + 1)]),
  );
}
