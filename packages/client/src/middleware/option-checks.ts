import { checkPositive } from '../connection/options.js';

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
 * Checks a switch, if it is given.
 *
 * @throws TypeError that names the option.
 */
export function checkBoolean(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') {
    throw new TypeError(`${name}: neither true nor false`);
  }
}

/**
 * Checks a whole number above zero, if it is given.
 *
 * @throws TypeError that names the option.
 */
export function checkWhole(name: string, value: number | undefined): void {
  checkPositive(name, value);
  if (value !== undefined && !Number.isInteger(value)) {
    throw new TypeError(`${name}: ${value} is not a whole number`);
  }
}

/**
 * Checks a string that must have something in it. It may be a secret, and is not shown.
 *
 * @throws TypeError that names the option.
 */
export function checkText(name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string' || value === '') {
    throw new TypeError(`${name}: not a string with something in it`);
  }
}

/**
 * Checks a list of strings that must have something in them, if it is given.
 *
 * @throws TypeError that names the option.
 */
export function checkTexts(name: string, value: unknown): void {
  if (value === undefined) return;
  if (!Array.isArray(value)) throw new TypeError(`${name}: not an array`);
  for (const [index, item] of value.entries()) checkText(`${name}[${index}]`, item);
}
