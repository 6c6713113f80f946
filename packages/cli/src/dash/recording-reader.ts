import { Buffer } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import { createHeader, LineReader, toLine, type RecordedLine } from '@longwire/recording';

/** How much is read of a file at a time. */
const CHUNK_BYTES = 1024 * 1024;
/** A longer line is no line of a recording. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;
const LINE_FEED = 0x0a;

/** A line of the file as it is written there. */
export interface FileLine {
  readonly text: string;
  /** Where the next one begins, in bytes. */
  readonly next: number;
}

/**
 * Reads the lines of a file from a place on. A line at the end that is not finished is left out, and so is
 * one that is too long.
 */
export async function* readLines(
  file: FileHandle,
  from: number,
): AsyncGenerator<readonly FileLine[], void, undefined> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let rest: Buffer[] = [];
  let restBytes = 0;
  let position = from;
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, position);
    if (bytesRead === 0) return;
    const lines: FileLine[] = [];
    let start = 0;
    for (;;) {
      const end = chunk.subarray(0, bytesRead).indexOf(LINE_FEED, start);
      if (end === -1) break;
      const last = chunk.toString('utf8', start, end);
      // A character may be in two chunks.
      const text =
        rest.length === 0
          ? last
          : Buffer.concat([...rest, chunk.subarray(start, end)]).toString('utf8');
      if (restBytes <= MAX_LINE_BYTES) lines.push({ text, next: position + end + 1 });
      rest = [];
      restBytes = 0;
      start = end + 1;
    }
    if (start < bytesRead) {
      restBytes += bytesRead - start;
      if (restBytes > MAX_LINE_BYTES) rest = [];
      else rest.push(Buffer.from(chunk.subarray(start, bytesRead)));
    }
    position += bytesRead;
    if (lines.length > 0) yield lines;
  }
}

/** Reads a file from its begin to its end. The file stays open, and may be read by others meanwhile. */
export async function* readBytes(file: FileHandle): AsyncGenerator<Buffer, void, undefined> {
  for (let position = 0; ;) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, position);
    if (bytesRead === 0) return;
    yield chunk.subarray(0, bytesRead);
    position += bytesRead;
  }
}

/** Reads lines of a recording that come after its header; `undefined` for what is none. */
export function createLineParser(): (text: string) => RecordedLine | undefined {
  const reader = new LineReader();
  reader.push(toLine(createHeader('')));
  return (text) => reader.push(`${text}\n`)[0];
}
