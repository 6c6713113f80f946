import { describe, expect, it } from 'vitest';
import { ToolCatalog } from '../../src/tools/catalog.ts';

const tool = (name: string, annotations?: unknown) => ({ name, annotations });
const page = (...tools: unknown[]) => ({ tools });
const listed = (...tools: unknown[]): ToolCatalog => {
  const known = new ToolCatalog();
  known.learn(undefined, page(...tools));
  return known;
};

describe('ToolCatalog', () => {
  it.each<[unknown, boolean]>([
    [{ readOnlyHint: true }, true],
    [{ idempotentHint: true }, true],
    [{ readOnlyHint: true, destructiveHint: true }, true],
    [{ readOnlyHint: false, idempotentHint: false }, false],
    [{ readOnlyHint: 'true' }, false],
    [{ readOnlyHint: 1 }, false],
    [{}, false],
    [null, false],
    ['readOnlyHint', false],
    [undefined, false],
  ])('reads %j as safe: %j', (annotations, isSafe) => {
    expect(listed(tool('a', annotations)).isSafe('a')).toBe(isSafe);
  });

  it('says of no tool that it is safe that was never listed', () => {
    const known = listed(tool('a', { readOnlyHint: true }));
    for (const name of ['b', 'constructor', '', undefined, null, 1]) {
      expect(known.isSafe(name)).toBe(false);
    }
  });

  it.each<[unknown, string]>([
    [{ taskSupport: 'required' }, 'required'],
    [{ taskSupport: 'optional' }, 'optional'],
    [{ taskSupport: 'forbidden' }, 'forbidden'],
    [{ taskSupport: 'always' }, 'forbidden'],
    [{}, 'forbidden'],
    [null, 'forbidden'],
    ['required', 'forbidden'],
  ])('reads the task support of %j: %s', (execution, support) => {
    const known = listed({ name: 'a', execution });
    expect(known.taskSupport('a')).toBe(support);
    expect(known.taskSupport('b')).toBe('forbidden');
  });

  it('survives a list that is none', () => {
    const known = listed(null, 1, 'a', {}, { name: 1 }, tool('b', { readOnlyHint: true }));
    expect(known.isSafe('b')).toBe(true);
    known.learn(undefined, { tools: 'none' });
    expect(known.isSafe('b')).toBe(false);
    expect(known.isListed).toBe(true);
    expect(new ToolCatalog().isListed).toBe(false);
  });

  it('adds further pages, and begins anew with a first one', () => {
    const known = listed(tool('a', { readOnlyHint: true }));
    known.learn('2', page(tool('b', { readOnlyHint: true })));
    expect([known.isSafe('a'), known.isSafe('b')]).toEqual([true, true]);
    known.learn(undefined, page(tool('b', { readOnlyHint: true })));
    expect([known.isSafe('a'), known.isSafe('b')]).toEqual([false, true]);
  });

  it('replaces its list, and says whether the other differs', () => {
    const known = listed(tool('a'), tool('b'));
    expect(known.replace(listed(tool('b'), tool('a')))).toBe(false);
    expect(known.replace(listed(tool('a'), tool('b', { readOnlyHint: true })))).toBe(true);
    expect(known.isSafe('b')).toBe(true);
    expect(known.replace(listed(tool('a')))).toBe(true);
    expect(known.replace(listed(tool('c')))).toBe(true);
    expect(known.replace(listed(tool('c')))).toBe(false);
  });
});
