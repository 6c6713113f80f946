import type { ElicitRequestFormParams } from '@longwire/client';
import { isCredentialName } from '@longwire/client/internal';
import { isJsonObject, type JsonObject } from '../json-object.js';

/** A value of a form. */
export type FieldValue = string | number | boolean | string[];

/** One of the values that a field takes. */
export interface Choice {
  value: string;
  title: string;
}

/** One field of a form, as its schema says. Its texts are the server's. */
export interface Field {
  name: string;
  title: string;
  description: string | undefined;
  required: boolean;
  kind: 'text' | 'number' | 'integer' | 'boolean' | 'one' | 'several';
  /** The values that it takes, where they are listed. */
  choices: readonly Choice[];
  default: FieldValue | undefined;
  /** Of a text its length, of a number its value, of a list its length. */
  min: number | undefined;
  max: number | undefined;
  format: string | undefined;
  /** It seems to be a password or the like, for which no server may ask in a form. */
  isSecret: boolean;
}

/** What a text means for a field, or what is wrong with it. */
export type ParsedValue = { ok: true; value: FieldValue } | { ok: false; problem: string };

/** The fields of a form, in its order. */
export function formFields({ requestedSchema }: ElicitRequestFormParams): Field[] {
  const { properties, required } = requestedSchema as JsonObject;
  const needed = new Set(Array.isArray(required) ? required : []);
  const entries = isJsonObject(properties) ? Object.entries(properties) : [];
  return entries.map(([name, schema]) =>
    fieldOf(name, isJsonObject(schema) ? schema : {}, needed.has(name)),
  );
}

function fieldOf(name: string, schema: JsonObject, required: boolean): Field {
  const title = text(schema['title']) ?? name;
  const description = text(schema['description']);
  const items = isJsonObject(schema['items']) ? schema['items'] : {};
  const isList = schema['type'] === 'array';
  const choices = choicesOf(isList ? items : schema, schema['enumNames']);
  const names = ['minLength', 'minimum', 'minItems'] as const;
  return {
    name,
    title,
    description,
    required,
    kind: kindOf(schema, choices),
    choices,
    default: defaultOf(schema['default']),
    min: names.map((key) => number(schema[key])).find((limit) => limit !== undefined),
    max: names
      .map((key) => number(schema[key.replace('min', 'max')]))
      .find((limit) => limit !== undefined),
    format: text(schema['format']),
    isSecret: [name, title, description ?? ''].some(looksSecret),
  };
}

function kindOf(schema: JsonObject, choices: readonly Choice[]): Field['kind'] {
  const { type } = schema;
  if (type === 'array') return 'several';
  if (choices.length > 0) return 'one';
  return type === 'number' || type === 'integer' || type === 'boolean' ? type : 'text';
}

/** The values of `enum`, or of `oneOf` and `anyOf` with titles. */
function choicesOf(schema: JsonObject, enumNames: unknown): Choice[] {
  const titles: unknown[] = Array.isArray(enumNames) ? enumNames : [];
  const { enum: values, oneOf, anyOf } = schema;
  if (Array.isArray(values)) {
    return values
      .filter((value) => typeof value === 'string')
      .map((value, index) => ({ value, title: text(titles[index]) ?? value }));
  }
  const titled: unknown[] = [oneOf, anyOf].find((list) => Array.isArray(list)) ?? [];
  return titled.flatMap((option) => {
    if (!isJsonObject(option) || typeof option['const'] !== 'string') return [];
    return [{ value: option['const'], title: text(option['title']) ?? option['const'] }];
  });
}

/**
 * What a text means for a field: that of `--answer`, or what was typed. A list is written with commas,
 * a choice by its value or its title.
 */
export function parseValue(field: Field, written: string): ParsedValue {
  switch (field.kind) {
    case 'boolean': {
      const word = written.trim().toLowerCase();
      if (['y', 'yes', 'true'].includes(word)) return { ok: true, value: true };
      if (['n', 'no', 'false'].includes(word)) return { ok: true, value: false };
      return problem('write yes or no');
    }
    case 'number':
    case 'integer':
      return parseNumber(field, written.trim());
    case 'one': {
      const choice = choiceOf(field, written);
      return choice === undefined ? notListed(field) : { ok: true, value: choice.value };
    }
    case 'several': {
      const words = written.split(',').map((word) => word.trim());
      const found = words.filter((word) => word !== '').map((word) => choiceOf(field, word));
      const values = found.flatMap((choice) => (choice === undefined ? [] : [choice.value]));
      if (values.length < found.length) return notListed(field);
      return checkCount(field, values);
    }
    default:
      return parseText(field, written);
  }
}

/** A list of so many values, where the field takes so many. */
export function checkCount(field: Field, values: string[]): ParsedValue {
  const { min = 0, max = Infinity } = field;
  if (values.length < min) return problem(`choose at least ${min}`);
  if (values.length > max) return problem(`choose at most ${max}`);
  return { ok: true, value: values };
}

function parseNumber({ kind, min, max }: Field, written: string): ParsedValue {
  const value = written === '' ? Number.NaN : Number(written);
  if (!Number.isFinite(value)) return problem('write a number');
  if (kind === 'integer' && !Number.isSafeInteger(value)) return problem('write a whole number');
  if (min !== undefined && value < min) return problem(`write at least ${min}`);
  if (max !== undefined && value > max) return problem(`write at most ${max}`);
  return { ok: true, value };
}

function parseText({ min = 0, max = Infinity, format }: Field, written: string): ParsedValue {
  const { length } = Array.from(written);
  if (length < min) return problem(`write at least ${min} characters`);
  if (length > max) return problem(`write at most ${max} characters`);
  const isFit = formats[format ?? ''];
  if (isFit !== undefined && !isFit.test(written)) return problem(isFit.hint);
  return { ok: true, value: written };
}

/** The formats of the specification; the server checks more closely. */
const formats: Readonly<
  Record<string, { test: (text: string) => boolean; hint: string } | undefined>
> = {
  email: {
    test: (value) => /^[^\s@]+@[^\s@]+$/.test(value),
    hint: 'write an address such as me@example.com',
  },
  uri: {
    test: (value) => URL.canParse(value),
    hint: 'write a whole address such as https://example.com',
  },
  date: {
    test: (value) => /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value)),
    hint: 'write a date such as 2026-01-31',
  },
  'date-time': {
    test: (value) => /^\d{4}-\d\d-\d\d[Tt ].+/.test(value) && !Number.isNaN(Date.parse(value)),
    hint: 'write a time such as 2026-01-31T12:00:00Z',
  },
};

function choiceOf({ choices }: Field, written: string): Choice | undefined {
  return (
    choices.find(({ value }) => value === written) ?? choices.find(({ title }) => title === written)
  );
}

function notListed({ choices }: Field): ParsedValue {
  const shown = choices.slice(0, 10).map(({ value }) => value);
  const more = choices.length > shown.length ? ', …' : '';
  return problem(`write ${shown.join(', ')}${more}`);
}

function problem(text: string): ParsedValue {
  return { ok: false, problem: text };
}

const secretWords =
  /\b(?:password|passphrase|passcode|secret|api[ _-]?key|access[ _-]?token|private[ _-]?key|credit[ _-]?card|card[ _-]?number|cvv|cvc)\b/i;

function looksSecret(said: string): boolean {
  return (
    secretWords.test(said) ||
    /^pin$/i.test(said) ||
    (/^[\w-]{1,64}$/.test(said) && isCredentialName(said))
  );
}

function defaultOf(value: unknown): FieldValue | undefined {
  if (Array.isArray(value)) return value.filter((item) => typeof item === 'string');
  const isPlain = ['string', 'number', 'boolean'].includes(typeof value);
  return isPlain ? (value as FieldValue) : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
