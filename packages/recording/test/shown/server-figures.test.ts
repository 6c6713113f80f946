import { expect, it } from 'vitest';
import { Picture } from '../../src/index.ts';
import { figuresOf } from '../../src/shown.ts';

it('counts what a card says', () => {
  const picture = new Picture();
  const server = 'one';
  picture.apply({ type: 'state', server, at: 1_000, state: 'ready' });
  picture.apply({ type: 'catalogue', server, at: 1_000, kind: 'tools', items: [{ name: 'a' }] });
  for (let call = 1; call <= 20; call++) {
    const at = 90_000 + call * 100;
    picture.apply({ type: 'call', server, at, call, method: 'tools/call', name: 'a' });
    const end = { type: 'end', server, at: at + 50, call, durationMs: 50 } as const;
    const error = { code: 'connection-lost', certainty: 'not-sent', message: 'gone' } as const;
    picture.apply(
      call === 20 ? { ...end, outcome: 'error', error } : { ...end, outcome: 'result' },
    );
  }
  const known = picture.servers.get(server);
  if (known === undefined) throw new Error('no server');
  const figures = figuresOf(known, 95_000);
  expect(figures).toMatchObject({ uptimeMs: 94_000, callsPerSecond: 2, errors: [['not-sent', 1]] });
  expect(figures.p50Ms).toBeCloseTo(50, -1);
  expect(figures.toolTokens).toBe(Math.round(JSON.stringify({ name: 'a' }).length / 4));
  picture.apply({ type: 'state', server, at: 96_000, state: 'reconnecting' });
  expect(figuresOf(known, 97_000).uptimeMs).toBeUndefined();
  picture.apply({ type: 'state', server, at: 98_000, state: 'ready', resumed: false });
  expect(figuresOf(known, 99_000)).toMatchObject({ uptimeMs: 1_000, errors: [['not-sent', 1]] });
  expect(known.totals.reconnects).toBe(1);
  // A replay that went back shows what was then.
  expect(figuresOf(known, 60_000).callsPerSecond).toBe(0);
});
