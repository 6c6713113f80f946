import { Picture, type RecordedLine } from '@longwire/recording';
import { expect, it } from 'vitest';
import { KeptLines } from '../../src/dash/kept-lines.ts';

it('keeps the newest within its bound, what stands of the others, and counts the rest', () => {
  const kept = new KeptLines(20_000);
  const at = 1;
  const server = 'one';
  const add = (line: RecordedLine): void => kept.add(line, JSON.stringify(line));
  add({ type: 'server', at, server, target: 'http://127.0.0.1' });
  add({ type: 'server', at, server, transport: 'sse' });
  add({ type: 'state', at, server, state: 'ready' });
  add({ type: 'catalogue', at, server, kind: 'tools', items: [{ name: 'old' }] });
  add({ type: 'catalogue', at, server, kind: 'tools', items: [{ name: 'new' }] });
  const count = 1000;
  for (let call = 1; call <= count; call++) {
    add({ type: 'call', at, server, call, method: 'tools/call', arguments: { call } });
    add({ type: 'end', at, server, call, outcome: 'result', durationMs: 1, result: { call } });
  }
  expect(kept.call(count)).toMatchObject({
    begin: { arguments: { call: count } },
    end: { call: count },
  });
  expect(kept.call(1)).toEqual({});

  const lines = [...kept.lines()].map((text) => JSON.parse(text) as RecordedLine);
  expect(JSON.stringify(lines).length).toBeLessThan(25_000);
  const picture = new Picture();
  for (const line of lines) picture.apply(line);
  const shown = picture.servers.get(server);
  expect(shown?.known).toEqual({ target: 'http://127.0.0.1', transport: 'sse' });
  expect(shown?.states.at(-1)?.state).toBe('ready');
  expect(shown?.catalogue.tools).toEqual([{ name: 'new' }]);
  const whole = lines.filter(({ type }) => type === 'call' || type === 'end').length;
  expect(picture.lost + whole).toBe(2 * count);
});

it('counts what was lost before, too', () => {
  const kept = new KeptLines(1000);
  const add = (line: RecordedLine): void => kept.add(line, JSON.stringify(line));
  add({ type: 'gap', at: 1, count: 40 });
  const count = 100;
  for (let call = 1; call <= count; call++) {
    add({ type: 'call', at: 1, server: 'one', call, method: 'ping' });
  }
  const picture = new Picture();
  for (const text of kept.lines()) picture.apply(JSON.parse(text) as RecordedLine);
  expect(picture.lost + [...picture.inFlight].length).toBe(40 + count);
});

it('keeps lines of any size as they are', () => {
  const kept = new KeptLines(10_000);
  const results = ['é'.repeat(3000), '', 'x\n\u2028\u0000', '"'.repeat(20_000), '😀'];
  for (const [call, result] of results.entries()) {
    const line: RecordedLine = {
      type: 'end',
      at: 1,
      server: 'one',
      call,
      outcome: 'result',
      durationMs: 1,
      result,
    };
    kept.add(line, JSON.stringify(line));
    expect(kept.call(call).end).toEqual(line);
  }
  expect(kept.call(0)).toEqual({});
  expect(kept.call(4).end?.result).toBe('😀');
});
