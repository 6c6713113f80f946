import type { Random } from '@longwire/testing';
import { isObject, pick } from './mutation.ts';

const MIB = 2 ** 20;

/** Acted on by a terminal that is shown them: colours, a title, the clipboard, deleted lines. */
export const CONTROL_SEQUENCES: readonly string[] = [
  '\u001b[31mred\u001b[0m',
  '\u001b]0;title\u0007',
  '\u001b]52;c;cHduZWQ=\u0007',
  '\u001b[2J\u001b[H',
  '\u009b2K\u009d0;title\u009c',
  'line\r\u001b[1Aover',
  'bell\u0007 back\b\b\b\u007f',
  '\u001bPq#0\u001b\\',
  '\u202ereversed\u202c',
];

/** Texts that are no ordinary texts. */
export const ODD_TEXTS: readonly string[] = [
  ...CONTROL_SEQUENCES,
  '',
  ' ',
  '\n',
  '\0',
  '__proto__',
  'constructor',
  'toString',
  '\ud800',
  '\u2028\u2029\u0085',
  '\ufeff',
  '👩‍👩‍👧‍👦é\u0301\u0301\u0301',
  '../../etc/passwd',
  '%s%d%n',
  '${HOME} $(id) `id`',
  '--help',
  'null',
  '<script>alert(1)</script>',
  'a'.repeat(40) + '!',
];

/** Values where another one is expected. */
export const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  '',
  'text',
  [],
  [null],
  [[]],
  {},
  { a: null },
  { length: 1e9 },
  { toString: 'not a function', valueOf: null, toJSON: 1 },
  JSON.parse('{"then":1,"__proto__":{"polluted":true}}'),
];

/** A text of some length that is no ordinary text, at times a very long one. */
export function oddText(random: Random): string {
  return random.chance(0.05) ? 'x'.repeat(MIB) : pick(random, ODD_TEXTS);
}

/** Any odd value. */
export function oddValue(random: Random): unknown {
  return random.chance(0.3) ? oddText(random) : pick(random, ODD_VALUES);
}

/** The same tree with an odd value somewhere in it. */
export function oddSomewhere(value: unknown, random: Random): unknown {
  return changeSomewhere(value, random, () => oddValue(random));
}

/** The same tree without one of its properties. */
export function withoutSomething(value: unknown, random: Random): unknown {
  return changeSomewhere(value, random, () => undefined);
}

/** The same tree with a property more somewhere. */
export function withSomethingMore(value: unknown, random: Random): unknown {
  return changeSomewhere(value, random, (node) =>
    isObject(node) ? { ...node, [oddText(random)]: oddValue(random) } : [node, oddValue(random)],
  );
}

/** Descends to a random node and changes it; `undefined` takes the node away. */
function changeSomewhere(
  value: unknown,
  random: Random,
  change: (node: unknown) => unknown,
): unknown {
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  if (keys.length === 0 || random.chance(0.25)) return change(value);
  const key = pick(random, keys);
  if (Array.isArray(value)) {
    return value.map((item, index) =>
      String(index) === key ? changeSomewhere(item, random, change) : (item as unknown),
    );
  }
  const property = (value as Record<string, unknown>)[key];
  return { ...(value as object), [key]: changeSomewhere(property, random, change) };
}
