import type { Tool } from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import { ToolChanges } from '../../src/pool/tool-changes.ts';

const tool = (name: string): Tool => ({ name, inputSchema: { type: 'object' } });
const settled = () => new Promise((resolve) => setImmediate(resolve));

function setUp(...lists: (Tool[] | 'gone')[]) {
  const seen = { asked: 0, told: 0 };
  const changes = new ToolChanges({
    list: async () => {
      const list = lists[Math.min(seen.asked++, lists.length - 1)];
      if (list === 'gone' || list === undefined) throw new Error('gone');
      return list;
    },
    onChange: () => seen.told++,
  });
  return { changes, seen };
}

describe('ToolChanges', () => {
  it('reports a list that differs, once for many hints, and not another order', async () => {
    const { changes, seen } = setUp([tool('a'), tool('b')]);
    changes.take([tool('a')]);
    changes.hint();
    changes.hint();
    changes.hint();
    await settled();
    expect(seen).toEqual({ asked: 2, told: 1 });
    changes.take([tool('b'), tool('a')]);
    changes.hint();
    await settled();
    expect(seen).toEqual({ asked: 3, told: 1 });
  });

  it('does not report what the program has listed in the meantime', async () => {
    const { changes, seen } = setUp([tool('a')]);
    changes.take([]);
    changes.hint();
    changes.take([tool('a')]);
    await settled();
    expect(seen).toEqual({ asked: 1, told: 0 });
  });

  it('reports what it cannot compare', async () => {
    const { changes, seen } = setUp('gone', [tool('a')]);
    changes.take([tool('a')]);
    changes.hint();
    await settled();
    expect(seen.told).toBe(1);
    changes.hint();
    await settled();
    expect(seen.told).toBe(2);
    changes.hint();
    await settled();
    expect(seen.told).toBe(2);
  });
});
