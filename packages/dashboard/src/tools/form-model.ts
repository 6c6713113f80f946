import { isObject } from '@longwire/recording/shown';

/** What every field of a form has. */
interface FieldBase {
  /** What it is called in the schema, else the property's name. */
  readonly label: string;
  readonly description?: string;
  /** The schema's own default. */
  readonly initial?: unknown;
}

/** A text. */
export interface TextField extends FieldBase {
  readonly kind: 'text';
  readonly isLong: boolean;
  readonly hint?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
}

/** A number. */
export interface NumberField extends FieldBase {
  readonly kind: 'number';
  readonly isWhole: boolean;
  readonly min?: number;
  readonly max?: number;
}

/** Yes or no. */
export interface SwitchField extends FieldBase {
  readonly kind: 'switch';
}

/** One of some values. */
export interface ChoiceField extends FieldBase {
  readonly kind: 'choice';
  readonly choices: readonly { readonly value: unknown; readonly label: string }[];
}

/** One value, and no other. */
export interface FixedField extends FieldBase {
  readonly kind: 'fixed';
  readonly value: unknown;
}

/** Named fields. */
export interface ObjectField extends FieldBase {
  readonly kind: 'object';
  readonly properties: readonly {
    readonly name: string;
    readonly isRequired: boolean;
    readonly field: Field;
  }[];
}

/** Any number of one field. */
export interface ListField extends FieldBase {
  readonly kind: 'list';
  readonly item: Field;
  readonly minItems: number;
  readonly maxItems?: number;
}

/** One of some fields. */
export interface VariantsField extends FieldBase {
  readonly kind: 'variants';
  readonly variants: readonly Field[];
}

/** Whatever JSON can say. */
export interface JsonField extends FieldBase {
  readonly kind: 'json';
}

/** What a form shows for a schema. */
export type Field =
  | TextField
  | NumberField
  | SwitchField
  | ChoiceField
  | FixedField
  | ObjectField
  | ListField
  | VariantsField
  | JsonField;

/** Schemas nest without end through `$ref`; what is deeper is written as JSON. */
const MAX_DEPTH = 8;
/** Of each object, list of choices or list of variants, so many are shown. */
const MAX_MEMBERS = 200;
/** A form has at most so many fields: those that come after are written as JSON. */
const MAX_FIELDS = 1_000;

type Schema = Readonly<Record<string, unknown>>;

/** The form of a JSON schema. What no form can show becomes a field for JSON. */
export function formOf(schema: unknown, label = 'arguments'): Field {
  return new FormReader(isObject(schema) ? schema : {}).read(schema, label, 0);
}

class FormReader {
  readonly #root: Schema;
  #fields = 0;

  constructor(root: Schema) {
    this.#root = root;
  }

  read(given: unknown, name: string, depth: number): Field {
    const schema = this.#resolve(given);
    const base = baseOf(schema, name);
    if (depth > MAX_DEPTH || ++this.#fields > MAX_FIELDS) return { kind: 'json', ...base };
    if ('const' in schema) return { kind: 'fixed', value: schema['const'], ...base };
    const choices = choicesOf(schema);
    if (choices !== undefined) return { kind: 'choice', choices, ...base };
    const variants = this.#variants(schema, name, depth);
    if (variants !== undefined) return { kind: 'variants', variants, ...base };
    return this.#typed(schema, base, depth);
  }

  #typed(schema: Schema, base: FieldBase, depth: number): Field {
    const type = schema['type'] ?? impliedType(schema);
    switch (type) {
      case 'string':
        return textOf(schema, base);
      case 'number':
      case 'integer':
        return {
          kind: 'number',
          isWhole: type === 'integer',
          ...bounds(schema, { min: 'minimum', max: 'maximum' }),
          ...base,
        };
      case 'boolean':
        return { kind: 'switch', ...base };
      case 'null':
        return { kind: 'fixed', value: null, ...base };
      case 'array': {
        if (!isObject(schema['items'])) return { kind: 'json', ...base };
        return {
          kind: 'list',
          item: this.read(schema['items'], 'item', depth + 1),
          minItems: numberIn(schema, 'minItems') ?? 0,
          ...bounds(schema, { maxItems: 'maxItems' }),
          ...base,
        };
      }
      case 'object':
        return this.#object(schema, base, depth);
      default:
        return { kind: 'json', ...base };
    }
  }

  #object(schema: Schema, base: FieldBase, depth: number): Field {
    const properties = isObject(schema['properties']) ? Object.entries(schema['properties']) : [];
    // Of what may have any members, nothing but JSON can say which.
    if (properties.length === 0 && depth > 0) return { kind: 'json', ...base };
    const required = Array.isArray(schema['required']) ? schema['required'] : [];
    return {
      kind: 'object',
      properties: properties.slice(0, MAX_MEMBERS).map(([name, property]) => ({
        name,
        isRequired: required.includes(name),
        field: this.read(property, name, depth + 1),
      })),
      ...base,
    };
  }

  #variants(schema: Schema, name: string, depth: number): Field[] | undefined {
    const given = schema['anyOf'] ?? schema['oneOf'] ?? typesOf(schema);
    if (!Array.isArray(given) || given.length === 0) return undefined;
    return given.slice(0, MAX_MEMBERS).map((variant, index) => {
      const resolved = this.#resolve(variant);
      const label = typeof resolved['title'] === 'string' ? resolved['title'] : undefined;
      const field = this.read(variant, name, depth + 1);
      return { ...field, label: label ?? variantLabel(field, index) };
    });
  }

  /** Follows `$ref` inside the schema, and takes together the members of `allOf`. */
  #resolve(given: unknown): Schema {
    let schema = isObject(given) ? given : {};
    for (let step = 0; step < MAX_DEPTH && typeof schema['$ref'] === 'string'; step++) {
      const { $ref, ...beside } = schema;
      schema = { ...this.#at(String($ref)), ...beside };
    }
    const parts = schema['allOf'];
    if (!Array.isArray(parts)) return schema;
    return parts.slice(0, MAX_MEMBERS).reduce<Schema>((whole, part) => {
      const one =
        isObject(part) && typeof part['$ref'] === 'string' ? this.#at(part['$ref']) : part;
      return isObject(one) ? merged(whole, one) : whole;
    }, schema);
  }

  #at(reference: string): Schema {
    if (!reference.startsWith('#/')) return {};
    let found: unknown = this.#root;
    for (const step of reference.slice(2).split('/')) {
      const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
      found = isObject(found) && Object.hasOwn(found, key) ? found[key] : undefined;
    }
    return isObject(found) ? found : {};
  }
}

function merged(whole: Schema, part: Schema): Schema {
  const propertiesOf = (schema: Schema): Schema =>
    isObject(schema['properties']) ? schema['properties'] : {};
  const requiredOf = (schema: Schema): unknown[] =>
    Array.isArray(schema['required']) ? schema['required'] : [];
  return {
    ...part,
    ...whole,
    properties: { ...propertiesOf(part), ...propertiesOf(whole) },
    required: [...requiredOf(part), ...requiredOf(whole)],
  };
}

function baseOf(schema: Schema, name: string): FieldBase {
  const { title, description } = schema;
  return {
    label: typeof title === 'string' ? title : name,
    ...(typeof description === 'string' && { description }),
    ...('default' in schema && { initial: schema['default'] }),
  };
}

function choicesOf(schema: Schema): ChoiceField['choices'] | undefined {
  if (Array.isArray(schema['enum'])) {
    const names = Array.isArray(schema['enumNames']) ? schema['enumNames'] : [];
    return schema['enum'].slice(0, MAX_MEMBERS).map((value, index) => ({
      value,
      label: typeof names[index] === 'string' ? names[index] : labelOf(value),
    }));
  }
  const given = schema['oneOf'] ?? schema['anyOf'];
  if (!Array.isArray(given) || given.length === 0) return undefined;
  if (!given.every((one) => isObject(one) && 'const' in one)) return undefined;
  return given.slice(0, MAX_MEMBERS).map((one: Schema) => ({
    value: one['const'],
    label: typeof one['title'] === 'string' ? one['title'] : labelOf(one['const']),
  }));
}

function labelOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** The variants of `"type": ["string", "null"]`. */
function typesOf(schema: Schema): Schema[] | undefined {
  const { type, ...rest } = schema;
  return Array.isArray(type) ? type.map((one) => ({ ...rest, type: one })) : undefined;
}

function variantLabel(field: Field, index: number): string {
  if (field.kind === 'fixed') return labelOf(field.value);
  if (field.kind === 'number') return field.isWhole ? 'whole number' : 'number';
  return field.kind === 'object' || field.kind === 'json'
    ? `${field.kind} ${index + 1}`
    : field.kind;
}

function textOf(schema: Schema, base: FieldBase): TextField {
  const { format, pattern } = schema;
  const hints = [
    ...(typeof format === 'string' ? [format] : []),
    ...(typeof pattern === 'string' ? [`pattern ${pattern}`] : []),
  ];
  return {
    kind: 'text',
    isLong: (numberIn(schema, 'maxLength') ?? 0) > 200,
    ...(hints.length > 0 && { hint: hints.join(', ') }),
    ...bounds(schema, { minLength: 'minLength', maxLength: 'maxLength' }),
    ...base,
  };
}

function impliedType(schema: Schema): string | undefined {
  if (isObject(schema['properties'])) return 'object';
  return 'items' in schema ? 'array' : undefined;
}

function numberIn(schema: Schema, name: string): number | undefined {
  const value = schema[name];
  return typeof value === 'number' ? value : undefined;
}

function bounds<Name extends string>(
  schema: Schema,
  names: Readonly<Record<Name, string>>,
): Partial<Record<Name, number>> {
  return Object.fromEntries(
    Object.entries<string>(names).flatMap(([name, key]) => {
      const value = numberIn(schema, key);
      return value === undefined ? [] : [[name, value]];
    }),
  ) as Partial<Record<Name, number>>;
}
