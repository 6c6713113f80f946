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

/**
 * A folder for the files that servers send during one run, created with the first file; only its owner
 * may read it.
 */
export class MediaFolder {
  #path: Promise<string> | undefined;
  #count = 0;

  /** Writes data that a server sent, Base64 or a `data:` URL, to a new file, named for `source`, and says where it is. */
  async save(options: {
    data: string;
    mimeType: string | undefined;
    source: string;
  }): Promise<{ path: string; sizeBytes: number }> {
    const { source } = options;
    const data = readSentData(options.data);
    const mimeType = options.mimeType ?? data.mimeType;
    this.#path ??= mkdtemp(join(tmpdir(), 'longwire-'));
    const stem = source.replace(/[^a-zA-Z0-9_-]+/g, '-').slice(0, 60) || 'file';
    const type = mimeType?.split(';')[0]?.trim().toLowerCase() ?? '';
    const ending = Object.hasOwn(endings, type) ? endings[type] : '.bin';
    const path = join(await this.#path, `${stem}-${++this.#count}${ending}`);
    const bytes = Buffer.from(data.base64, 'base64');
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
