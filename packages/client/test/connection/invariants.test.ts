import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const tests = fileURLToPath(new URL('..', import.meta.url));
const document = fileURLToPath(new URL('../../../../docs/connection.md', import.meta.url));

/** The numbers of the list below its heading. */
function invariants(): number[] {
  const [, section = ''] = readFileSync(document, 'utf8').split(/^## Invariants$/m);
  const [list = ''] = section.split(/^## /m);
  return [...list.matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number));
}

/** The numbers that tests cite in their names, as in `(invariants 1, 2)` or `(invariants 1 to 3)`. */
function cited(): Set<number> {
  const numbers = new Set<number>();
  for (const file of readdirSync(tests, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.test.ts')) continue;
    const text = readFileSync(`${tests}/${file}`, 'utf8');
    for (const [, list = ''] of text.matchAll(
      /\bit(?:\.\w+)?\(\s*'[^']*\(invariants? ([\d, to]+)\)'/g,
    )) {
      for (const part of list.split(', ')) {
        const [first = NaN, last = first] = part.split(' to ').map(Number);
        for (let number = first; number <= last; number++) numbers.add(number);
      }
    }
  }
  return numbers;
}

describe('the invariants of docs/connection.md', () => {
  it('are numbered from 1 without a gap', () => {
    const numbers = invariants();
    expect(numbers.length).toBeGreaterThan(0);
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
  });

  it('are all cited by the name of a test, and no others', () => {
    expect([...cited()].sort((a, b) => a - b)).toEqual(invariants());
  });
});
