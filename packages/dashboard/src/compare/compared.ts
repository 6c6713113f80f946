import { signal, type Signal } from '@preact/signals';
import { readRecording, type ReadRecording } from './read-recording.js';

/** What is compared on one side: what the page shows, or a recording that was chosen. */
export type Side =
  | { readonly is: 'nothing' | 'page' }
  | { readonly is: 'reading'; readonly name: string; readonly share: number }
  | { readonly is: 'failed'; readonly name: string; readonly reason: string }
  | ({ readonly is: 'recording' } & ReadRecording);

/** Both sides. They stay while other views are open. */
export const sides: Readonly<Record<'before' | 'after', Signal<Side>>> = {
  before: signal<Side>({ is: 'nothing' }),
  after: signal<Side>({ is: 'page' }),
};

const readings = new WeakMap<Signal<Side>, AbortController>();

/** Reads a recording for one side. What was being read for it is read no further. */
export function choose(side: Signal<Side>, file: File): void {
  set(side, { is: 'reading', name: file.name, share: 0 });
  const reading = new AbortController();
  readings.set(side, reading);
  const { name } = file;
  const tell = (told: Side): void => {
    if (!reading.signal.aborted) side.value = told;
  };
  readRecording(file, {
    signal: reading.signal,
    onProgress: (share) => tell({ is: 'reading', name, share }),
  }).then(
    (recording) => tell({ is: 'recording', ...recording }),
    (error: unknown) =>
      tell({
        is: 'failed',
        name,
        reason: error instanceof Error ? error.message : String(error),
      }),
  );
}

/** Compares something else on one side. */
export function set(side: Signal<Side>, to: Side): void {
  readings.get(side)?.abort();
  side.value = to;
}

/** Exchanges both sides. What is being read goes on where it is. */
export function swap(): void {
  const { before, after } = sides;
  [before.value, after.value] = [after.value, before.value];
}
