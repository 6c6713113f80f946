import type { Option } from './option.js';

const MIB = 1024 * 1024;

/** What an option is and what it is by default, as `longwire.schema.json` has it. */
export function description(option: Option): string {
  const { sentence = '' } = option;
  const fallback = defaultOf(option);
  const text = fallback === undefined ? `${sentence}.` : `${sentence}. ${fallback}`;
  return text.replaceAll('`', '');
}

/**
 * What an option is where none is given, as its doc comment has it: `Default 30 000.`; `undefined`
 * where there is nothing to say.
 */
export function defaultOf({ kind, default: value, otherwise }: Option): string | undefined {
  if (value === undefined || typeof value === 'object' || typeof value === 'function') {
    return otherwise === undefined ? undefined : `Default: ${otherwise}.`;
  }
  const more = otherwise === undefined ? '' : `; ${otherwise}`;
  return `Default ${written(value, kind)}${more}.`;
}

function written(value: unknown, kind: Option['kind']): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) return `\`${String(value)}\``;
  const digits = grouped(value);
  return kind === 'bytes' && value % MIB === 0 ? `${digits} (${value / MIB} MiB)` : digits;
}

/** A number as people read it: `30 000`. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, ' ');
}
