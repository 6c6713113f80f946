import { nearest } from '../nearest.js';

/** A timer of more than this would fire at once. */
export const MAX_TIMER_MS = 2_147_483_647;

/** Checks a group of options, if it is given. */
export function checkGroup(name: string, group: unknown, known: readonly string[]): void {
  if (group === undefined) return;
  checkObject(name, group);
  checkOptionNames(group, known, `${name}.`);
}

/**
 * Refuses options that do not exist: a misspelt one would be ignored without a word.
 *
 * @throws TypeError that names the option.
 */
export function checkOptionNames(options: object, known: readonly string[], prefix = ''): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw unknownOption(name, known, prefix);
  }
}

/** The error for an option that does not exist: it names those that do, and the nearest. */
export function unknownOption(name: string, known: readonly string[], prefix: string): TypeError {
  const [near] = nearest(name, known);
  const guess = near === undefined || known.length === 1 ? '' : `; did you mean ${near}?`;
  return new TypeError(`${prefix}${name}: no such option; there are ${known.join(', ')}${guess}`);
}

/**
 * Checks a value that must be an object, and no array.
 *
 * @throws TypeError that names the option.
 */
export function checkObject(name: string, value: unknown): asserts value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${name}: not an object`);
  }
}

/**
 * Checks a number that must be above zero, if it is given.
 *
 * @throws TypeError that names the option.
 */
export function checkPositive(name: string, value: unknown): void {
  if (value === undefined) return;
  if (typeof value !== 'number' || !(value > 0)) {
    throw new TypeError(`${name}: ${shown(value)} is not a number above 0`);
  }
}

/**
 * Checks a number of times or things, if it is given.
 *
 * @throws TypeError that names the option.
 */
export function checkCount(name: string, value: unknown, min = 0): void {
  if (value === undefined || value === Infinity) return;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min) {
    throw new TypeError(`${name}: ${shown(value)} is not a whole number from ${min}, or Infinity`);
  }
}

/**
 * Checks a whole number above zero, if it is given.
 *
 * @throws TypeError that names the option.
 */
export function checkWhole(name: string, value: unknown): void {
  checkPositive(name, value);
  if (value !== undefined && !Number.isInteger(value)) {
    throw new TypeError(`${name}: ${shown(value)} is not a whole number`);
  }
}

/**
 * Checks a switch, if it is given.
 *
 * @throws TypeError that names the option.
 */
export function checkFlag(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') {
    throw new TypeError(`${name}: neither true nor false`);
  }
}

/**
 * Checks a function, if it is given.
 *
 * @throws TypeError that names the option.
 */
export function checkFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') {
    throw new TypeError(`${name}: not a function`);
  }
}

/**
 * Checks a string that must not be empty. It may be a secret, and is not shown.
 *
 * @throws TypeError that names the option.
 */
export function checkText(name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string' || value === '') {
    throw new TypeError(`${name}: not a string with something in it`);
  }
}

/**
 * Checks a list of strings that must not be empty, if it is given.
 *
 * @throws TypeError that names the option.
 */
export function checkTexts(name: string, value: unknown): void {
  if (value === undefined) return;
  if (!Array.isArray(value)) throw new TypeError(`${name}: not an array`);
  for (const [index, item] of value.entries()) checkText(`${name}[${index}]`, item);
}

/** A string looks like one: `'5'` is not 5. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
