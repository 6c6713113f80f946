// A subject that keeps no promise: what it does wrong follows from the name of the promise in
// FUZZ_BREAKS.
import { setTimeout as delay } from 'node:timers/promises';

const END_OF_OUTPUT = '\u0004end of case\u0004';
const vitals = {
  longestBlockMs: 0,
  peakBytes: 0,
  heapBytes: 0,
  leftOpen: [],
  isPolluted: false,
};
const breaks = {
  hung: () => delay(60_000),
  died: () => process.exit(13),
  printed: () => process.stderr.write('a warning of somebody below\n'),
};

process.on('disconnect', () => process.exit());
process.on('message', () => void meet());
process.send?.({ type: 'ready' });

async function meet() {
  process.send?.({ type: 'began', operation: 'connect' });
  const what = /** @type {keyof typeof breaks} */ (process.env['FUZZ_BREAKS']);
  await breaks[what]?.();
  process.send?.({ type: 'settled', operation: 'connect' });
  process.stdout.write(END_OF_OUTPUT);
  process.stderr.write(END_OF_OUTPUT);
  process.send?.({ type: 'done', ...vitals });
}
