import { isObject } from '@longwire/client/internal';

type Schema = Record<string, unknown>;

/** A schema in JSON Schema 2020-12. */
export interface ModernSchema {
  /** The very same value, if nothing had to be changed. */
  schema: unknown;
  /** What was removed, as `path: keyword and its value`. */
  removed: readonly string[];
}

type Rule = (value: unknown) => boolean;

const isText: Rule = (value) => typeof value === 'string';
const isFlag: Rule = (value) => typeof value === 'boolean';
const isNumber: Rule = (value) => typeof value === 'number' && Number.isFinite(value);
const isCount: Rule = (value) => Number.isInteger(value) && (value as number) >= 0;
const isTextList: Rule = (value) => Array.isArray(value) && value.every(isText);
const isUnique = (list: readonly unknown[]): boolean => new Set(list).size === list.length;

const simpleTypes: readonly unknown[] = [
  'array',
  'boolean',
  'integer',
  'null',
  'number',
  'object',
  'string',
];

/** What the keywords of 2020-12 that hold no schemas may hold: https://json-schema.org/draft/2020-12/schema */
const rules = new Map<string, Rule>([
  ...['$id', '$schema', '$ref', '$anchor', '$dynamicRef', '$dynamicAnchor', '$comment']
    .concat(['title', 'description', 'pattern', 'format', 'contentEncoding', 'contentMediaType'])
    .map((key) => [key, isText] as const),
  ...['uniqueItems', 'deprecated', 'readOnly', 'writeOnly'].map((key) => [key, isFlag] as const),
  ...['maximum', 'minimum', 'exclusiveMaximum', 'exclusiveMinimum'].map(
    (key) => [key, isNumber] as const,
  ),
  ...['maxLength', 'minLength', 'maxItems', 'minItems', 'maxContains', 'minContains']
    .concat(['maxProperties', 'minProperties'])
    .map((key) => [key, isCount] as const),
  ['multipleOf', (value) => isNumber(value) && (value as number) > 0],
  ['enum', Array.isArray],
  ['examples', Array.isArray],
  ['required', (value) => isTextList(value) && isUnique(value as unknown[])],
  [
    'type',
    (value) =>
      simpleTypes.includes(value) ||
      (Array.isArray(value) &&
        value.length > 0 &&
        isUnique(value) &&
        value.every((type) => simpleTypes.includes(type))),
  ],
  [
    'dependentRequired',
    (value) => isObject(value) && Object.values(value).every((names) => isTextList(names)),
  ],
]);

/** What holds a schema, schemas by name, and a list of schemas. */
const single: ReadonlySet<string> = new Set(
  [
    'additionalProperties',
    'contains',
    'contentSchema',
    'else',
    'if',
    'items',
    'not',
    'then',
  ].concat(['propertyNames', 'unevaluatedItems', 'unevaluatedProperties']),
);
const byName: ReadonlySet<string> = new Set([
  '$defs',
  'definitions',
  'dependentSchemas',
  'patternProperties',
  'properties',
]);
const listed: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);

/** The longest description of a removed part. */
const maxShownLength = 100;

/**
 * Converts a schema to JSON Schema 2020-12, which the API checks: one wrong keyword ("JSON schema is
 * invalid. It must match JSON Schema draft 2020-12") fails the whole request.
 *
 * - Older drafts (`items` as a list, `exclusiveMinimum: true`) and habits of languages (PHP's empty
 *   object is `[]`, an unset value is `null`) are rewritten with the same meaning.
 * - What has no meaning in 2020-12 is removed.
 */
export function modernSchema(schema: unknown): ModernSchema {
  const removed: string[] = [];
  return { schema: modernize(schema, '', removed), removed };
}

function modernize(schema: unknown, path: string, removed: string[]): unknown {
  // PHP's empty object, or a value without meaning.
  if (!isObject(schema)) return typeof schema === 'boolean' ? schema : {};
  const renewed = fromOlderDrafts(schema);
  const remove = (key: string): undefined => {
    const shown = JSON.stringify(renewed[key])?.slice(0, maxShownLength);
    removed.push(`${path}/${key}: ${shown}`);
  };
  const entries = Object.entries(renewed).map(([key, value]): [string, unknown] => {
    if (value === null && isKeyword(key)) return [key, undefined];
    return [key, modernValue(key, value, { path: `${path}/${key}`, removed, remove })];
  });
  const isSame =
    renewed === schema && entries.every(([key, value]) => Object.is(value, schema[key]));
  // Names such as `__proto__` stay what they are.
  return isSame ? schema : Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** The value of one keyword; `undefined` to remove it. */
function modernValue(
  key: string,
  value: unknown,
  context: { path: string; removed: string[]; remove: (key: string) => undefined },
): unknown {
  const { path, removed, remove } = context;
  if (single.has(key)) {
    if (!isObject(value) && !Array.isArray(value) && !isFlag(value)) return remove(key);
    return modernize(value, path, removed);
  }
  if (byName.has(key)) {
    if (Array.isArray(value) && value.length === 0) return {};
    if (!isObject(value)) return remove(key);
    const parts = Object.entries(value).map(
      ([name, part]) => [name, modernize(part, `${path}/${name}`, removed)] as const,
    );
    return parts.every(([name, part]) => part === value[name]) ? value : Object.fromEntries(parts);
  }
  if (listed.has(key)) {
    if (!Array.isArray(value) || value.length === 0) return remove(key);
    const parts = value.map((part, index) => modernize(part, `${path}/${index}`, removed));
    return parts.every((part, index) => part === value[index]) ? value : parts;
  }
  return rules.get(key)?.(value) === false ? remove(key) : value;
}

function isKeyword(key: string): boolean {
  return rules.has(key) || single.has(key) || byName.has(key) || listed.has(key);
}

/** Keywords of older drafts, written as those of 2020-12. */
function fromOlderDrafts(schema: Schema): Schema {
  const renewed: Schema = { ...schema };
  const { items, additionalItems, required, type } = schema;
  if (Array.isArray(items)) {
    // Of draft-07: one schema for each place, and one for the rest.
    delete renewed['items'];
    delete renewed['additionalItems'];
    if (items.length > 0) renewed['prefixItems'] = items;
    if (items.length > 0 && additionalItems !== undefined) renewed['items'] = additionalItems;
  }
  for (const [exclusive, bound] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    // Of draft-04: whether the bound itself is excluded.
    if (typeof schema[exclusive] !== 'boolean') continue;
    delete renewed[exclusive];
    if (schema[exclusive] !== true || !isNumber(schema[bound])) continue;
    renewed[exclusive] = schema[bound];
    delete renewed[bound];
  }
  // Of draft-03: said of a property by itself.
  if (typeof required === 'boolean') delete renewed['required'];
  if (type === 'any') delete renewed['type'];
  if (isTextList(required)) renewed['required'] = withoutRepeats(required as string[]);
  if (isTextList(type)) renewed['type'] = withoutRepeats(type as string[]);
  const keys = Object.keys(renewed);
  const isSame =
    keys.length === Object.keys(schema).length && keys.every((key) => renewed[key] === schema[key]);
  return isSame ? schema : renewed;
}

function withoutRepeats(list: string[]): string[] {
  return isUnique(list) ? list : [...new Set(list)];
}
