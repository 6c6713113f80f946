import type { Buffer } from 'node:buffer';
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';

const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH } = zlib.constants;

/** More codings on one body are an attack. */
const MAX_CODINGS = 3;

type MakeDecoder = (first: Buffer | undefined) => Transform;

const gunzip: MakeDecoder = () => zlib.createGunzip({ flush: Z_SYNC_FLUSH });

/** Of Node 22.15 and later. */
const { createZstdDecompress } = zlib as { createZstdDecompress?: () => Transform };

/**
 * They flush at once: an event of a stream may be the last one for hours.
 */
const DECODERS: ReadonlyMap<string, MakeDecoder> = new Map<string, MakeDecoder>([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  // The standard wants a zlib header, which many servers omit.
  [
    'deflate',
    (first) =>
      first === undefined || (first[0] ?? 0) % 16 === 8
        ? zlib.createInflate({ flush: Z_SYNC_FLUSH })
        : zlib.createInflateRaw({ flush: Z_SYNC_FLUSH }),
  ],
  ['br', () => zlib.createBrotliDecompress({ flush: BROTLI_OPERATION_FLUSH })],
  ...(createZstdDecompress === undefined
    ? []
    : ([['zstd', () => createZstdDecompress()]] satisfies [string, MakeDecoder][])),
]);

/** The header `Accept-Encoding`: what can be decoded. */
export const ACCEPT_ENCODING: string = [...DECODERS.keys()]
  .filter((coding) => coding !== 'x-gzip')
  .join(', ');

/** The codings of a body, in the order in which they were applied. */
export function codingsOf(contentEncoding: string | string[] | undefined): string[] {
  return String(contentEncoding ?? '')
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity');
}

/** A coding that cannot be decoded; `undefined` if there is none. */
export function unknownCoding(codings: readonly string[]): string | undefined {
  if (codings.length > MAX_CODINGS) return codings.join(', ');
  return codings.find((coding) => !DECODERS.has(coding));
}

/** What to do about a coding that cannot be decoded. */
export function codingAdvice(coding: string): string {
  const plain = "set headers: { 'accept-encoding': 'identity' }, or ask whoever runs the server";
  return coding === 'zstd' ? `use Node 22.15 or later, or ${plain}` : plain;
}

/** Receives the decoded body. */
export interface DecodingListener {
  onDecoded(chunk: Buffer): void;
  /**
   * Once: the body is complete; or it is not in this coding, or ended too early (code `Z_BUF_ERROR`).
   * Not after `destroy()`.
   */
  onDecodingEnd(error: NodeJS.ErrnoException | undefined): void;
}

/** The source of the bytes. */
interface Flow {
  pause(): void;
  resume(): void;
}

/** Decodes one body while it comes. Pauses the source as long as the decoder is behind. */
export class Decoding {
  readonly #codings: readonly string[];
  readonly #listener: DecodingListener;
  readonly #flow: Flow;
  #stages: Transform[] = [];
  #isOver = false;

  constructor(codings: readonly string[], listener: DecodingListener, flow: Flow) {
    this.#codings = codings;
    this.#listener = listener;
    this.#flow = flow;
  }

  /** Whether any bytes came. */
  get hasBegun(): boolean {
    return this.#stages.length > 0;
  }

  write(chunk: Buffer): void {
    if (this.#isOver) return;
    if (this.#stages.length === 0) this.#start(chunk);
    if (this.#stages[0]?.write(chunk) === false) this.#flow.pause();
  }

  /** No more bytes will come. A body without any is complete in every coding. */
  end(): void {
    if (this.#isOver) return;
    const [first] = this.#stages;
    if (first === undefined) this.#finish(undefined);
    else first.end();
  }

  /** Stops; the listener is not called any more. */
  destroy(): void {
    this.#isOver = true;
    for (const stage of this.#stages) stage.destroy();
  }

  #start(first: Buffer): void {
    this.#stages = this.#codings.toReversed().map((coding, index) => {
      const make = DECODERS.get(coding);
      if (make === undefined) throw new TypeError(`${coding}: no such content coding`);
      return make(index === 0 ? first : undefined);
    });
    for (const [index, stage] of this.#stages.entries()) {
      stage.on('error', (error) => this.#finish(error));
      const next = this.#stages[index + 1];
      if (next !== undefined) stage.pipe(next);
      else {
        stage.on('data', (chunk: Buffer) => {
          if (!this.#isOver) this.#listener.onDecoded(chunk);
        });
        stage.on('end', () => this.#finish(undefined));
      }
    }
    this.#stages[0]?.on('drain', () => this.#flow.resume());
  }

  #finish(error: NodeJS.ErrnoException | undefined): void {
    if (this.#isOver) return;
    this.destroy();
    this.#listener.onDecodingEnd(error);
  }
}
