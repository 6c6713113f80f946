/** Whether a number is within what a filter says of it. */
export type IsWithin = (value: number) => boolean;

/** What the words of a quantity count as. */
export type ReadQuantity = (text: string) => number | undefined;

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `500ms`, `1.5s`, `2m`, `1h`, in milliseconds; without a unit they are milliseconds. */
export function readDuration(text: string): number | undefined {
  const [, digits, unit = 'ms'] = /^(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h)?$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * (UNITS_MS[unit] ?? 1);
}

/** `50%`, `0.5`: a share. */
export function readShare(text: string): number | undefined {
  const [, digits, percent] = /^(\d+(?:\.\d+)?|\.\d+)(%)?$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return percent === undefined ? Number(digits) : Number(digits) / 100;
}

/** A number that is not negative. */
export function readNumber(text: string): number | undefined {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

/** `>500ms`, `>=500ms`, `<1s`, `<=1s`, `=0`, `100ms..1s`; `undefined` if it is none of these. */
export function readComparison(text: string, read: ReadQuantity): IsWithin | undefined {
  const [, first = '', last = ''] = /^(.+)\.\.(.+)$/.exec(text) ?? [];
  const [from, to] = [read(first), read(last)];
  if (from !== undefined && to !== undefined) return (value) => value >= from && value <= to;
  const [, operator = '=', rest = ''] = /^(>=|<=|>|<|=)?(.+)$/.exec(text) ?? [];
  const bound = read(rest);
  if (bound === undefined) return undefined;
  switch (operator) {
    case '>':
      return (value) => value > bound;
    case '>=':
      return (value) => value >= bound;
    case '<':
      return (value) => value < bound;
    case '<=':
      return (value) => value <= bound;
    default:
      return (value) => value === bound;
  }
}
