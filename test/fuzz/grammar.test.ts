import { createRandom } from '@longwire/testing';
import { describe, expect, it } from 'vitest';
import { FUZZ_TRANSPORTS, makeCase, type CaseChoice } from './fuzz-case.ts';
import { MUTATIONS, mutationOf } from './grammar/grammar.ts';
import type { About, Parts } from './grammar/mutation.ts';

const about: About = {
  purpose: 'list',
  method: 'tools/list',
  id: 7,
  params: { _meta: { progressToken: 7 } },
};
const tools = { tools: [{ name: 'a', inputSchema: { type: 'object' } }, { name: 'b' }] };
const chunk = Buffer.from('5\r\nhello\r\n');

/** A part of an answer with which nothing is wrong yet. */
const parts: Parts = {
  handshake: { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'a' } },
  list: tools,
  schema: tools,
  call: { content: [{ type: 'text', text: 'x' }] },
  task: { taskId: 'task-1', status: 'working', ttlMs: 60_000, pollIntervalMs: 100 },
  rpc: [{ jsonrpc: '2.0', id: 7, result: tools }],
  json: JSON.stringify({ jsonrpc: '2.0', id: 7, result: tools }),
  sse: 'event: endpoint\ndata: /messages?session_id=1\n\n',
  bytes: Buffer.from('{"jsonrpc":"2.0"}\n'),
  http: { status: 200, headers: [['content-type', 'application/json']], body: Buffer.from('{}') },
  wire: chunk,
  timing: [{ do: 'write', bytes: chunk }],
};

const all: CaseChoice = {
  seed: 3,
  only: [],
  without: [],
  transports: FUZZ_TRANSPORTS,
  subjects: ['library', 'command'],
};

describe('the grammar', () => {
  const cheap = MUTATIONS.filter(({ weight }) => weight === 1);

  it.for(cheap)('$name makes the same of the same numbers', ({ level, name }) => {
    const mutate = (): unknown =>
      mutationOf(level, name)(parts[level] as never, createRandom(1, 2), about);
    expect(mutate()).toEqual(mutate());
  });

  it.for(cheap)('$name leaves what it is given as it is', ({ level, name }) => {
    const before = structuredClone(parts[level]);
    mutationOf(level, name)(parts[level] as never, createRandom(1, 2), about);
    expect(structuredClone(parts[level])).toEqual(before);
  });
});

describe('cases', () => {
  const cases = Array.from({ length: 4000 }, (_, number) => makeCase(all, number));

  it('come to every mutation over every transport that has its level', () => {
    const used = new Set(cases.flatMap(({ faults }) => faults.map(({ mutation }) => mutation)));
    const missing = MUTATIONS.filter(({ name, weight }) => weight === 1 && !used.has(name));
    expect(missing).toEqual([]);
    expect(new Set(cases.map(({ transport }) => transport)).size).toBe(FUZZ_TRANSPORTS.length);
  });

  it('follow from the seed and the number', () => {
    expect(makeCase(all, 17)).toEqual(cases[17]);
    expect(makeCase({ ...all, seed: 4 }, 17)).not.toEqual(cases[17]);
  });

  it('have the mutations that were asked for', () => {
    const some = { ...all, only: ['rpc', 'sse/retry'], without: ['rpc/batch'] };
    const used = Array.from({ length: 500 }, (_, number) => makeCase(some, number)).flatMap(
      ({ faults }) => faults.map(({ mutation }) => mutation),
    );
    expect(used.every((name) => name === 'sse/retry' || name.startsWith('rpc/'))).toBe(true);
    expect(used).toContain('sse/retry');
    expect(used).not.toContain('rpc/batch');
  });
});
