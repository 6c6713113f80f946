import { LineReader, Picture, type RecordedLine, type SkippedLines } from '@longwire/recording';

/** A recording that was read through, as far as it is compared. */
export interface ReadRecording {
  readonly name: string;
  readonly picture: Picture;
  /** The times of its first and its last line, in milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly lines: number;
  /** How many were left out, because they are none. */
  readonly skipped: number;
}

/** What a recording is read with. */
export interface ReadOptions {
  /** Stops it. */
  readonly signal: AbortSignal;
  /** Told now and then how much of it was read, from 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

/** A larger file takes minutes to read. */
const MAX_BYTES = 2 * 1024 ** 3;
/** What is not compared is not kept. */
const LIMITS = { maxCalls: 10_000, maxEvents: 1, maxStates: 1 } as const;
/** More calls without an end are no recording of anything. */
const MAX_IN_FLIGHT = 100_000;
/** The page is drawn after so long. */
const WORK_MS = 12;

/**
 * Reads a recording through, of which a part is in memory at a time.
 *
 * @throws RecordingError if it is none; Error if it is too large, cannot be read, or was stopped.
 */
export async function readRecording(
  file: File,
  { signal, onProgress = () => {} }: ReadOptions,
): Promise<ReadRecording> {
  if (file.size > MAX_BYTES) throw new Error('The file is larger than 2 GiB.');
  const picture = new Picture(LIMITS);
  const reader = new LineReader();
  const decoder = new TextDecoder();
  let workedSince = performance.now();
  let [lines, read, inFlight, from, to] = [0, 0, 0, 0, 0];
  const take = (taken: readonly RecordedLine[]): void => {
    for (const line of taken) {
      if (lines++ === 0) from = line.at;
      to = Math.max(to, line.at);
      if (line.type === 'call') inFlight++;
      if (line.type === 'end') inFlight--;
      if (inFlight > MAX_IN_FLIGHT) throw new Error('Too many of its calls have no end.');
      const compared = comparedOf(line);
      if (compared !== undefined) picture.apply(compared);
    }
  };
  // A file can be iterated in newer browsers only.
  const chunks = file.stream().getReader();
  try {
    for (;;) {
      signal.throwIfAborted();
      const { value, done } = await chunks.read();
      if (done) break;
      take(reader.push(decoder.decode(value, { stream: true })));
      read += value.byteLength;
      onProgress(read / file.size);
      if (performance.now() - workedSince < WORK_MS) continue;
      await new Promise((resolve) => setTimeout(resolve));
      workedSince = performance.now();
    }
  } finally {
    void chunks.cancel().catch(() => {});
  }
  take(reader.push(decoder.decode()));
  take(reader.end());
  return { name: file.name, picture, from, to, lines, skipped: sumOf(reader.skipped) };
}

/** A line without what is not compared: values, attempts, progress. */
function comparedOf(line: RecordedLine): RecordedLine | undefined {
  switch (line.type) {
    case 'attempt':
    case 'task':
    case 'progress':
    case 'notification':
    case 'error':
      return undefined;
    case 'call': {
      const { arguments: _, ...rest } = line;
      return rest;
    }
    case 'end': {
      const { result: _, ...rest } = line;
      return rest;
    }
    default:
      return line;
  }
}

function sumOf({ unknown, broken, tooLarge }: Readonly<SkippedLines>): number {
  return unknown + broken + tooLarge;
}
