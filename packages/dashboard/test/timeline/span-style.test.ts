import { expect, it } from 'vitest';
import type { CallPicture, CertaintyName, EndLine } from '@longwire/recording';
import { segmentsOf, styleOf } from '../../src/timeline/span-style.ts';
import { answered, called, lines, pictureOf } from './support.ts';

function styled(outcome?: EndLine['outcome'], certainty?: CertaintyName): string {
  const error = certainty && { code: 'any', message: '', certainty };
  const end = outcome && { at: 9, durationMs: 9, outcome, ...(error && { error }) };
  const call: CallPicture = {
    call: 1,
    server: 'docs',
    method: 'ping',
    at: 0,
    attempts: [],
    ...(end && { end }),
  };
  const { sign, fill, isDashed, isOpen } = styleOf({ server: 'docs', calls: [call] });
  return [sign, fill, isDashed && 'dashed', isOpen && 'open'].filter(Boolean).join(' ');
}

it('what became of a call is seen without colour', () => {
  const all = [
    styled(),
    styled('result'),
    styled('tool-error'),
    ...(['answered', 'outcome-unknown', 'refused', 'not-sent'] as const).map((certainty) =>
      styled('error', certainty),
    ),
  ];
  expect(all).toEqual([
    '… solid open',
    '✓ solid',
    '✗ solid',
    '! solid',
    '? hatched dashed',
    '⊗ hollow',
    '⊘ hollow dashed',
  ]);
});

it('a call has parts: it waits, is on the wire, is lost, and is sent again', () => {
  const picture = pictureOf(
    lines('docs', { type: 'call', at: 10, call: 1, method: 'ping' }),
    lines('docs', { type: 'attempt', at: 15, call: 1, attempt: 1 }),
    lines('docs', {
      type: 'state',
      at: 20,
      state: 'reconnecting',
      reason: { code: 'connection-lost', message: 'reset' },
    }),
    lines('docs', { type: 'attempt', at: 30, call: 1, attempt: 2 }),
  );
  const call = picture.find(1)!;
  const parts = segmentsOf({ server: 'docs', calls: [call] }, 40);
  expect(parts.map(({ from, to, kind }) => [kind, from, to])).toEqual([
    ['waiting', 10, 15],
    ['sent', 15, 20],
    ['lost', 20, 30],
    ['sent', 30, 40],
  ]);
});

it('rounds have time between them, and what was never sent only waits', () => {
  const picture = pictureOf(called(1, 10), answered(1, 20), called(2, 25), answered(2, 30));
  const calls = [picture.find(1)!, picture.find(2)!];
  expect(segmentsOf({ server: 'docs', calls }, 99).map(({ kind, to }) => [kind, to])).toEqual([
    ['sent', 20],
    ['waiting', 25],
    ['sent', 30],
  ]);
  const unsent = pictureOf(lines('docs', { type: 'call', at: 1, call: 1, method: 'ping' })).find(
    1,
  )!;
  expect(segmentsOf({ server: 'docs', calls: [unsent] }, 5)).toEqual([
    { from: 1, to: 5, kind: 'waiting' },
  ]);
});
