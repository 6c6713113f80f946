import { diffLines } from 'diff';
import { isCut } from '@longwire/recording';
import { isObject, lineJson } from '@longwire/recording/shown';
import { MAX_TEXT } from '../format/visible.js';

/** Lines that are the same, or of one side only; `skipped` ones are the same and not shown. */
export interface DiffPart {
  readonly kind: 'same' | 'removed' | 'added' | 'skipped';
  readonly lines: readonly string[];
}

/** Lines that are shown before and after a difference. */
const CONTEXT = 3;
/** More differences are no news of a change, but another text. */
const MAX_EDITS = 2000;
const TIMEOUT_MS = 500;

/**
 * What differs between two members of a tool or another item, line by line. A text is compared as it is,
 * anything else as JSON in which the order of members means nothing. Of what is long the beginning is compared.
 */
export function textDiff(before: unknown, after: unknown): DiffPart[] {
  const [old, current] = [textOf(before), textOf(after)];
  const changes = diffLines(old, current, { maxEditLength: MAX_EDITS, timeout: TIMEOUT_MS }) ?? [
    { value: old, added: false, removed: true },
    { value: current, added: true, removed: false },
  ];
  const parts = changes
    .filter(({ value }) => value !== '')
    .map(({ value, added, removed }): DiffPart => ({
      kind: removed ? 'removed' : added ? 'added' : 'same',
      lines: value.replace(/\n$/, '').split('\n'),
    }));
  return parts.flatMap((part, index) =>
    part.kind === 'same'
      ? shortened(part.lines, { isFirst: index === 0, isLast: index === parts.length - 1 })
      : [part],
  );
}

function shortened(
  lines: readonly string[],
  { isFirst, isLast }: { isFirst: boolean; isLast: boolean },
): DiffPart[] {
  const [before, after] = [isFirst ? 0 : CONTEXT, isLast ? 0 : CONTEXT];
  // A place for what is left out takes a line, too.
  if (lines.length <= before + after + 1) return [{ kind: 'same', lines }];
  const parts: DiffPart[] = [
    { kind: 'same', lines: lines.slice(0, before) },
    { kind: 'skipped', lines: lines.slice(before, lines.length - after) },
    { kind: 'same', lines: lines.slice(lines.length - after) },
  ];
  return parts.filter((part) => part.lines.length > 0);
}

function textOf(value: unknown): string {
  if (value === undefined) return '';
  const text =
    typeof value === 'string' || isCut(value)
      ? lineJson(value)
      : (JSON.stringify(sorted(value), null, 2) ?? '');
  // A last line without an end is another than one with it.
  return `${text.slice(0, MAX_TEXT)}\n`;
}

/** The same value, with the members of its objects in the order of their names. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .toSorted()
      .map((name) => [name, sorted(value[name])]),
  );
}
