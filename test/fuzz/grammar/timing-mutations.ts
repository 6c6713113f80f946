import type { Step, Table } from './mutation.ts';

/** Longer than any limit of a case. */
const FOR_EVER_MS = 60_000;
const PIECES = 50;

/** Odd moments. */
export const TIMING_MUTATIONS: Table<Step[]> = {
  late: (steps, random) => [{ do: 'wait', ms: random.below(300) }, ...steps],
  'too-late': (steps) => [{ do: 'wait', ms: FOR_EVER_MS }, ...steps],
  never: () => [{ do: 'hang' }],
  'half-then-silence': (steps, random) => half(steps, random.next(), { do: 'hang' }),
  'half-then-reset': (steps, random) => half(steps, random.next(), { do: 'reset' }),
  'half-then-end': (steps, random) => half(steps, random.next(), { do: 'end' }),
  'all-then-reset': (steps) => [...steps, { do: 'reset' }],
  'all-then-end': (steps) => [...steps, { do: 'end' }],
  'all-then-silence': (steps) => [...steps, { do: 'hang' }],
  reset: () => [{ do: 'reset' }],
  end: () => [{ do: 'end' }],
  'in-pieces': (steps) => steps.flatMap(pieces),
};

function half(steps: readonly Step[], share: number, last: Step): Step[] {
  return steps
    .map((step) =>
      step.do === 'write'
        ? { ...step, bytes: step.bytes.subarray(0, Math.floor(step.bytes.length * share)) }
        : step,
    )
    .concat(last);
}

function pieces(step: Step): Step[] {
  if (step.do !== 'write') return [step];
  const { bytes } = step;
  const size = Math.ceil(bytes.length / PIECES);
  return Array.from({ length: PIECES }, (_, n) => bytes.subarray(n * size, (n + 1) * size))
    .filter((piece) => piece.length > 0)
    .flatMap((piece): Step[] => [
      { do: 'write', bytes: piece },
      { do: 'wait', ms: 1 },
    ]);
}
