import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** A configuration, a workflow, variables: what people write is far smaller. */
const DEFAULT_MAX_BYTES = 4 * 1024 * 1024;

/** Why a file was not read. `code` is the system's, or `EFBIG` for one that is too large. */
export class FileReadError extends Error {
  override readonly name: string = 'FileReadError';
  readonly code: string;

  constructor(reason: string, options: { code: string; cause?: unknown }) {
    super(reason, options);
    this.code = options.code;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'it may not be read',
  ELOOP: 'it is a symbolic link that leads to itself',
};

/**
 * Reads a text file that a person wrote. It does not wait for a pipe or a device, and reads nothing larger
 * than `maxBytes` (default 4 MiB). The file is UTF-8, or UTF-16 with a byte order mark, as PowerShell
 * writes it; the mark is no part of the text.
 *
 * @throws FileReadError whose message says why, without the name of the file.
 */
export function readTextFile(path: string, options: { maxBytes?: number } = {}): string {
  const { maxBytes = DEFAULT_MAX_BYTES } = options;
  let file: number;
  try {
    // A pipe that nobody writes to would be waited for.
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    throw readError(cause);
  }
  try {
    const stats = fstatSync(file);
    if (stats.isDirectory()) throw new FileReadError(REASONS['EISDIR'] ?? '', { code: 'EISDIR' });
    if (!stats.isFile()) {
      throw new FileReadError('it is no file, but a pipe or a device', { code: 'EINVAL' });
    }
    if (stats.size > maxBytes) {
      const reason = `it has ${stats.size} bytes, and ${maxBytes} are the most that is read`;
      throw new FileReadError(reason, { code: 'EFBIG' });
    }
    return decoded(readFileSync(file)).replace(/^\uFEFF/, '');
  } catch (cause) {
    throw cause instanceof FileReadError ? cause : readError(cause);
  } finally {
    closeSync(file);
  }
}

function decoded(bytes: Buffer): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  if (bytes.includes(0)) {
    const reason = 'it is no text in UTF-8; if it is in UTF-16, save it as UTF-8';
    throw new FileReadError(reason, { code: 'EILSEQ' });
  }
  return bytes.toString('utf8');
}

function readError(cause: unknown): FileReadError {
  const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
  return new FileReadError(REASONS[code] ?? code, { code, cause });
}
