import { isSpecType } from '@modelcontextprotocol/client';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { usableInitializeAnswer } from '../../src/connection/initialize-result.ts';

const good = {
  protocolVersion: '2025-06-18',
  capabilities: { tools: { listChanged: true } },
  serverInfo: { name: 'a', version: '1' },
};

const usable = (result: Record<string, unknown>): unknown => {
  const answer = usableInitializeAnswer({ jsonrpc: '2.0', id: 1, result }, '2025-11-25');
  return 'result' in answer ? answer.result : undefined;
};

describe('an answer to initialize', () => {
  it('is not changed if it is right, unknown members included', () => {
    const result = { ...good, more: { x: 1 } };
    expect(usable(result)).toBe(result);
  });

  it.each<[Record<string, unknown>, Record<string, unknown>]>([
    [{ capabilities: null }, { capabilities: {} }],
    [{ capabilities: [] }, { capabilities: {} }],
    [{ capabilities: undefined }, { capabilities: {} }],
    [{ capabilities: { tools: true } }, { capabilities: { tools: {} } }],
    [{ capabilities: { tools: [], prompts: null } }, { capabilities: { tools: {} } }],
    [
      { capabilities: { tools: { listChanged: true, x: 1 }, resources: { subscribe: null } } },
      { capabilities: { tools: { listChanged: true, x: 1 }, resources: {} } },
    ],
    [
      { capabilities: { resources: { subscribe: true, listChanged: 'yes' } } },
      { capabilities: { resources: { subscribe: true } } },
    ],
    [{ serverInfo: null }, { serverInfo: { name: 'unknown', version: 'unknown' } }],
    [{ serverInfo: { name: 'a' } }, { serverInfo: { name: 'a', version: 'unknown' } }],
    [
      { serverInfo: { name: 'a', version: 2, title: null, icons: [{}], description: 'd' } },
      { serverInfo: { name: 'a', version: '2', description: 'd' } },
    ],
    [{ protocolVersion: undefined }, { protocolVersion: '2025-11-25' }],
    [
      { protocolVersion: null, instructions: 'i' },
      { protocolVersion: '2025-11-25', instructions: 'i' },
    ],
    [{ instructions: null }, {}],
    [{ _meta: [] }, {}],
  ])('with %j becomes one with %j', (odd, expected) => {
    const { instructions: _i, _meta: _m, ...fine } = { ...good, ...odd } as Record<string, unknown>;
    expect(usable({ ...good, ...odd })).toEqual({ ...fine, ...expected });
  });

  it('is not looked at if it holds too much', () => {
    const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, index) => [index, index]));
    const result = { ...good, capabilities: { tools: true, logging: many } };
    expect(usable(result)).toBe(result);
  });

  it('is checked in as many steps as it has members', () => {
    let reads = 0;
    const counted = {
      get listChanged() {
        reads++;
        return true;
      },
    };
    const odd = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`x${index}`, 'odd']));
    expect(usable({ ...good, capabilities: { tools: counted, ...odd } })).toMatchObject({
      capabilities: { tools: { listChanged: true } },
    });
    expect(reads).toBeLessThan(20);
  });

  it('can be used whatever it is', () => {
    const member = fc.option(fc.jsonValue(), { nil: undefined });
    const result = fc.record({
      protocolVersion: member,
      capabilities: fc.oneof(member, fc.record({ tools: member, experimental: member })),
      serverInfo: fc.oneof(member, fc.record({ name: member, version: member, icons: member })),
      instructions: member,
      _meta: member,
    });
    fc.assert(
      fc.property(result, (odd) => {
        expect(isSpecType.InitializeResult(usable(odd))).toBe(true);
      }),
    );
  });
});
