import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSentData } from '@longwire/client/internal';

/** The ending of a file, by its media type. Other names of a server are ignored. */
const endings: Readonly<Record<string, string>> = {
  'application/json': '.json',
  'application/pdf': '.pdf',
  'audio/flac': '.flac',
  'audio/mp3': '.mp3',
  'audio/mp4': '.m4a',
  'audio/mpeg': '.mp3',
  'audio/ogg': '.ogg',
  'audio/wav': '.wav',
  'audio/webm': '.weba',
  'audio/x-wav': '.wav',
  'image/avif': '.avif',
  'image/bmp': '.bmp',
  'image/gif': '.gif',
  'image/jpeg': '.jpg',
  'image/jpg': '.jpg',
  'image/png': '.png',
  'image/svg+xml': '.svg',
  'image/webp': '.webp',
  'text/csv': '.csv',
  'text/html': '.html',
  'text/plain': '.txt',
};

/** Data that a server sent, as bytes. */
export interface MediaBytes {
  bytes: Buffer;
  /** What the server, or a `data:` URL, says that it is. */
  mimeType: string | undefined;
  /** Whether it was no Base64: the bytes are the text that came. */
  isAsSent: boolean;
}

/** Reads Base64 or a `data:` URL; what is neither is taken as it came. */
export function mediaBytes(sent: string, mimeType: string | undefined): MediaBytes {
  const isUrl = /^\s*data:/i.test(sent);
  // Line breaks and the alphabet of URLs are common.
  const isAsSent = !isUrl && !/^[A-Za-z0-9+/_\s-]*={0,2}\s*$/.test(sent);
  if (isAsSent) return { bytes: Buffer.from(sent, 'utf8'), mimeType, isAsSent };
  const data = readSentData(sent);
  const bytes = Buffer.from(data.base64, 'base64');
  return { bytes, mimeType: mimeType ?? data.mimeType, isAsSent };
}

/** The ending of a file for a media type, `.bin` for one that is unknown. */
export function endingOf(mimeType: string | undefined): string {
  const type = mimeType?.split(';')[0]?.trim().toLowerCase() ?? '';
  return (Object.hasOwn(endings, type) ? endings[type] : undefined) ?? '.bin';
}

/** What became of data: drawn on the terminal, or in a file. */
export interface ShownMedia {
  sizeBytes: number;
  /** What draws it, if it can be drawn; then there is no file. */
  drawn?: string | undefined;
  path?: string;
  /** Whether it was no Base64, and is kept as it came. */
  isAsSent: boolean;
}

/**
 * A folder for the files that servers send during one run, created with the first file; only its owner
 * may read it.
 */
export class MediaFolder {
  readonly #draw: (bytes: Buffer) => string | undefined;
  #path: Promise<string> | undefined;
  #count = 0;

  /** `draw` gives what shows an image on the terminal, if it can. Default: all is saved. */
  constructor(draw: (bytes: Buffer) => string | undefined = () => undefined) {
    this.#draw = draw;
  }

  /** Draws data that a server sent, or saves it. */
  async show(options: {
    data: string;
    mimeType: string | undefined;
    source: string;
  }): Promise<ShownMedia> {
    const { bytes, isAsSent } = mediaBytes(options.data, options.mimeType);
    const drawn = isAsSent ? undefined : this.#draw(bytes);
    if (drawn !== undefined) return { sizeBytes: bytes.length, drawn, isAsSent };
    return { ...(await this.save(options)), isAsSent };
  }

  /** Writes data that a server sent, Base64 or a `data:` URL, to a new file, named for `source`, and says where it is. */
  async save(options: {
    data: string;
    mimeType: string | undefined;
    source: string;
  }): Promise<{ path: string; sizeBytes: number }> {
    const { source } = options;
    const { bytes, mimeType, isAsSent } = mediaBytes(options.data, options.mimeType);
    this.#path ??= mkdtemp(join(tmpdir(), 'longwire-'));
    const stem = source.replace(/[^a-zA-Z0-9_-]+/g, '-').slice(0, 60) || 'file';
    const ending = isAsSent ? '.txt' : endingOf(mimeType);
    const path = join(await this.#path, `${stem}-${++this.#count}${ending}`);
    await writeFile(path, bytes, { mode: 0o600, flag: 'wx' });
    return { path, sizeBytes: bytes.length };
  }
}

/** A size for people: `312 bytes`, `4.1 KiB`. */
export function formatSize(sizeBytes: number): string {
  if (sizeBytes < 1024) return `${sizeBytes} bytes`;
  const kibibytes = sizeBytes / 1024;
  if (kibibytes < 1024) return `${Number(kibibytes.toFixed(1))} KiB`;
  return `${Number((kibibytes / 1024).toFixed(1))} MiB`;
}
