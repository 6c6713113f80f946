import { isObject, lineJson } from '@longwire/recording/shown';
import type { Field } from './form-model.js';

/** What is wrong with a value, and where: the names and places that lead to it. */
export interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What a field holds at first: its default, else as little as it has to; `undefined` is left out. */
export function initialValue(field: Field, isRequired: boolean): unknown {
  if (field.initial !== undefined) return field.initial;
  if (!isRequired) return undefined;
  switch (field.kind) {
    case 'fixed':
      return field.value;
    case 'switch':
      return false;
    case 'object':
      return Object.fromEntries(
        field.properties.flatMap(({ name, isRequired: isNeeded, field: inner }) => {
          const value = initialValue(inner, isNeeded);
          return value === undefined ? [] : [[name, value]];
        }),
      );
    case 'list':
      return Array.from({ length: Math.min(field.minItems, 20) }, () =>
        initialValue(field.item, true),
      );
    case 'variants':
      return field.variants[0] === undefined ? undefined : initialValue(field.variants[0], true);
    default:
      return undefined;
  }
}

/** An object with one member changed, or without it where the value is `undefined`. */
export function withMember(whole: unknown, name: string, value: unknown): Record<string, unknown> {
  const others = isObject(whole) ? Object.entries(whole).filter(([key]) => key !== name) : [];
  const entries = isObject(whole) && Object.hasOwn(whole, name) ? Object.entries(whole) : undefined;
  if (value === undefined) return Object.fromEntries(others);
  // A member stays where it is among the others, so that the JSON does not jump.
  return Object.fromEntries(
    entries === undefined
      ? [...others, [name, value]]
      : entries.map(([key, old]) => [key, key === name ? value : old]),
  );
}

/** Which of the variants a value is one of: the first that finds nothing wrong with it, else the first. */
export function variantOf(variants: readonly Field[], value: unknown): number {
  if (value === undefined) return 0;
  const fitting = variants.findIndex((variant) => problemsOf(variant, value).length === 0);
  if (fitting !== -1) return fitting;
  return Math.max(
    0,
    variants.findIndex((variant) => isOfKind(variant, value)),
  );
}

/**
 * What is wrong with a value, as far as it is cheap to tell. The server has the last word: patterns are
 * not run here, since they are its own.
 */
export function problemsOf(
  field: Field,
  value: unknown,
  path: readonly (string | number)[] = [],
): Problem[] {
  if (value === undefined) return [{ path, message: 'is needed' }];
  if (!isOfKind(field, value)) return [{ path, message: `is to be ${KIND_WORDS[field.kind]}` }];
  const wrong = (message: string | false): Problem[] =>
    message === false ? [] : [{ path, message }];
  switch (field.kind) {
    case 'text': {
      const { minLength = 0, maxLength = Number.POSITIVE_INFINITY } = field;
      const { length } = lineJson(value);
      return [
        ...wrong(length < minLength && `has at least ${minLength} characters`),
        ...wrong(length > maxLength && `has at most ${maxLength} characters`),
      ];
    }
    case 'number': {
      const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = field;
      return [
        ...wrong(field.isWhole && !Number.isInteger(value) && 'is to be a whole number'),
        ...wrong(Number(value) < min && `is at least ${min}`),
        ...wrong(Number(value) > max && `is at most ${max}`),
      ];
    }
    case 'object':
      return field.properties.flatMap(({ name, isRequired, field: inner }) => {
        const member = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
        if (member === undefined && !isRequired) return [];
        return problemsOf(inner, member, [...path, name]);
      });
    case 'list': {
      const items = value as readonly unknown[];
      const { maxItems = Number.POSITIVE_INFINITY } = field;
      return [
        ...wrong(items.length < field.minItems && `has at least ${field.minItems} items`),
        ...wrong(items.length > maxItems && `has at most ${maxItems} items`),
        ...items.flatMap((item, index) => problemsOf(field.item, item, [...path, index])),
      ];
    }
    case 'variants': {
      const variant = field.variants[variantOf(field.variants, value)];
      return variant === undefined ? [] : problemsOf(variant, value, path);
    }
    default:
      return [];
  }
}

const KIND_WORDS: Readonly<Record<Field['kind'], string>> = {
  text: 'text',
  number: 'a number',
  switch: 'true or false',
  choice: 'one of the choices',
  fixed: 'the one value that is allowed',
  object: 'an object',
  list: 'a list',
  variants: 'one of the variants',
  json: 'JSON',
};

function isOfKind(field: Field, value: unknown): boolean {
  switch (field.kind) {
    case 'text':
      return typeof value === 'string';
    case 'number':
      return typeof value === 'number';
    case 'switch':
      return typeof value === 'boolean';
    case 'choice':
      return field.choices.some((choice) => isSame(choice.value, value));
    case 'fixed':
      return isSame(field.value, value);
    case 'object':
      return isObject(value);
    case 'list':
      return Array.isArray(value);
    default:
      return true;
  }
}

/** Whether two values are the same JSON, member by member in their order. */
export function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
