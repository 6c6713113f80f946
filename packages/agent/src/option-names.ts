import { nearest } from '@longwire/client/internal';

/**
 * Rejects a misspelt option, which would otherwise be ignored silently.
 *
 * @throws TypeError that names the option and the nearest.
 */
export function checkNames(options: object, known: readonly string[], prefix = ''): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const [near] = nearest(name, known);
    const guess = near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`;
    throw new TypeError(`${prefix}${name} is not an option; ${guess}`);
  }
}
