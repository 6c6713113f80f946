import { open, type FileHandle } from 'node:fs/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { LineReader, Picture, RecordingError, type PictureData } from '@longwire/recording';
import { usageError } from '../command-error.js';
import { cutLine } from './cut-line.js';
import { readLines } from './recording-reader.js';

/** Pictures that are kept of the way, at most. */
const MAX_CHECKPOINTS = 32;
/** Less is read through faster than a picture is unpacked. */
const MIN_DISTANCE_BYTES = 4 * 1024 * 1024;
/** How far the places are apart that are known by their time. */
const PLACE_DISTANCE_BYTES = 256 * 1024;

/** A place in the file: what comes there is not earlier than this. */
interface Place {
  readonly offset: number;
  readonly at: number;
}

/** The picture at a place, packed. */
interface Checkpoint extends Place {
  readonly packed: Buffer;
}

/** What is known of a recording that was read through once: where which time is, and pictures of the way. */
export interface RecordingIndex {
  readonly file: FileHandle;
  /** The times of its first and its last line, in milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** How many lines it has, and how many are left out because they are none. */
  readonly lines: number;
  readonly unread: number;
  readonly places: readonly Place[];
  readonly checkpoints: readonly Checkpoint[];
}

/**
 * Reads a recording through once. Its lines are not kept; what is kept is bounded, but for a few bytes for
 * each 256 KiB.
 *
 * @throws LongwireError (usage) if it cannot be read, or is no recording.
 */
export async function indexRecording(path: string, signal: AbortSignal): Promise<RecordingIndex> {
  const file = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === 'ENOENT' ? 'there is no such file' : cause.message;
    throw usageError(`--replay "${path}" cannot be read: ${reason}`, { cause });
  });
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw usageError(`--replay "${path}" is not a file`);
    return await readThrough(file, stats.size, signal);
  } catch (error) {
    await file.close();
    if (!(error instanceof RecordingError)) throw error;
    throw usageError(`--replay "${path}" cannot be shown: ${error.message}`, { cause: error });
  }
}

async function readThrough(
  file: FileHandle,
  size: number,
  signal: AbortSignal,
): Promise<RecordingIndex> {
  const distance = Math.max(MIN_DISTANCE_BYTES, size / MAX_CHECKPOINTS);
  const picture = new Picture();
  const places: Place[] = [];
  const checkpoints: Checkpoint[] = [];
  const reader = new LineReader();
  let [from, lines, end] = [0, 0, 0];
  for await (const chunk of readLines(file, 0)) {
    signal.throwIfAborted();
    for (const { text, next } of chunk) {
      const [line] = reader.push(`${text}\n`);
      if (line !== undefined) {
        if (lines++ === 0) from = line.at;
        if (end - (places.at(-1)?.offset ?? -PLACE_DISTANCE_BYTES) >= PLACE_DISTANCE_BYTES) {
          places.push({ offset: end, at: Math.max(picture.at, from) });
        }
        if (end - (checkpoints.at(-1)?.offset ?? 0) >= distance) {
          checkpoints.push({ offset: end, at: picture.at, packed: pack(picture) });
        }
        picture.apply(cutLine(line, text));
      }
      end = next;
    }
  }
  // Without a header, it says so.
  reader.end();
  const { unknown, broken, tooLarge } = reader.skipped;
  const unread = unknown + broken + tooLarge;
  return { file, from, to: Math.max(picture.at, from), lines, unread, places, checkpoints };
}

/** The picture of a checkpoint. */
export function unpack({ packed }: Checkpoint): Picture {
  return Picture.from(JSON.parse(gunzipSync(packed).toString('utf8')) as PictureData);
}

function pack(picture: Picture): Buffer {
  return gzipSync(JSON.stringify(picture.toJSON()), { level: 1 });
}
