import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join } from 'node:path';
import { toJson } from '@longwire/client';
import type { Context } from '../context.js';
import type { Part } from '../result-parts.js';
import { sanitizeLine } from '../sanitize.js';
import { endingOf, formatSize, mediaBytes } from '../save-media.js';
import type { Destination } from './destination.js';

/** How often a name is changed until it is free. */
const maxTries = 1000;

const maxStemLength = 80;

/** Something that is written: its bytes, and the name that it would have in a folder. */
interface Item {
  bytes: Buffer;
  stem: string;
  ending: string;
}

/**
 * Writes parts of a result where `--out` says, and names the files on stderr. In a folder each part is a
 * file of its own. A single file, and stdout, get the media if there are any, else the text. Nothing is
 * overwritten, and no name of a server leaves the folder.
 *
 * @returns the parts that were not written, which are still to be printed.
 * @throws Error if a file cannot be written, or several things would go to stdout.
 */
export async function writeParts(
  context: Pick<Context, 'terminal' | 'redactor'>,
  destination: Destination,
  parts: readonly Part[],
  { source }: { source: string },
): Promise<readonly Part[]> {
  const { terminal, redactor } = context;
  const isMedia = ({ kind }: Part): boolean => kind === 'media' || kind === 'blob';
  const hasMedia = destination.kind !== 'folder' && parts.some(isMedia);
  const chosen = hasMedia ? parts.filter(isMedia) : parts;
  const rest = hasMedia ? parts.filter((part) => !isMedia(part)) : [];
  const items = chosen.map((part) => itemOf(part, source, (text) => redactor.data(text)));
  const isText = destination.kind !== 'folder' && !hasMedia && items.length > 1;
  const written = isText ? [joined(items)] : items;
  const [only] = written;
  if (destination.kind === 'stdout' && written.length <= 1) {
    if (only !== undefined) terminal.bytes(only.bytes);
    return rest;
  }
  const tell = (path: string, { length }: Buffer): void =>
    terminal.remark(`Saved ${path} (${formatSize(length)}).`);
  if (destination.kind === 'stdout') {
    const folder = await mkdtemp(join(tmpdir(), 'longwire-'));
    for (const item of written) tell(await writeNew(folder, item), item.bytes);
    throw new Error(
      `${written.length} things came, and one can go to stdout: they are in ${folder}`,
    );
  }
  if (written.length === 0) terminal.remark('Nothing came that could be saved.');
  const { path } = destination;
  if (destination.kind === 'folder') await mkdir(path, { recursive: true });
  for (const [index, item] of written.entries()) {
    const place = destination.kind === 'folder' ? path : dirname(path);
    const named =
      destination.kind === 'folder' ? item : { ...item, ...nameIn(path, written.length, index) };
    tell(await writeNew(place, named), item.bytes);
  }
  return rest;
}

/** The name of one of several files, `chart-2.png`, or of the only one. */
function nameIn(path: string, count: number, index: number): Pick<Item, 'stem' | 'ending'> {
  const ending = extname(path);
  const stem = basename(path, ending);
  return { stem: count === 1 ? stem : `${stem}-${index + 1}`, ending };
}

/** Writes a new file in a folder, under another number where there is one of that name. */
async function writeNew(folder: string, { bytes, stem, ending }: Item): Promise<string> {
  for (let number = 1; number <= maxTries; number++) {
    const path = join(folder, `${stem}${number === 1 ? '' : `-${number}`}${ending}`);
    try {
      // Never follows a link, and never writes over a file.
      await writeFile(path, bytes, { flag: 'wx' });
      return path;
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      if (code !== 'EEXIST')
        throw new Error(`--out: ${path} was not written: ${message}`, { cause });
    }
  }
  throw new Error(`--out: there are ${maxTries} files named ${stem} in ${folder}`);
}

function joined(items: readonly Item[]): Item {
  const [first] = items;
  const lines = items.map(({ bytes }) => bytes.toString('utf8').replace(/\n?$/, '\n'));
  return { stem: 'text', ending: '.txt', ...first, bytes: Buffer.from(lines.join('')) };
}

function itemOf(part: Part, source: string, redacted: (text: string) => string): Item {
  const named = (uri: string | undefined, ending: string): Pick<Item, 'stem' | 'ending'> =>
    fileName(uri, source, ending);
  const text = (value: string): Buffer => Buffer.from(redacted(value), 'utf8');
  switch (part.kind) {
    case 'text':
      return { bytes: text(part.text), ...named(undefined, '.txt') };
    case 'resource':
      return { bytes: text(part.text), ...named(part.uri, '.txt') };
    case 'link':
      return { bytes: text(`${part.title} <${part.uri}>\n`), ...named(undefined, '.txt') };
    case 'json':
      return { bytes: text(`${toJson(part.value, 2)}\n`), ...named(undefined, '.json') };
    case 'media':
    case 'blob': {
      const { bytes, mimeType } = mediaBytes(
        typeof part.data === 'string' ? part.data : '',
        part.mimeType,
      );
      const uri = part.kind === 'blob' ? part.uri : undefined;
      return { bytes, ...named(uri, endingOf(mimeType)) };
    }
  }
}

/** The name of a file for a resource: the last part of its URI, or the source, and nothing but a name. */
export function fileName(
  uri: string | undefined,
  source: string,
  ending: string,
): Pick<Item, 'stem' | 'ending'> {
  const path = uri?.replace(/[?#].*$/s, '').replace(/\/+$/, '') ?? '';
  const last = uri === undefined ? '' : clean(/[^/\\:]*$/.exec(path)?.[0] ?? '');
  const name = last || clean(source) || 'file';
  const own = last === '' ? '' : extname(name);
  const stem = (own === '' ? name : name.slice(0, -own.length)).slice(0, maxStemLength);
  return { stem: stem || 'file', ending: own.length > 1 && own.length <= 12 ? own : ending };
}

/** Nothing of a name that means something to a file system or a shell. */
function clean(name: string): string {
  return sanitizeLine(name)
    .replace(/[^\p{L}\p{N}._-]+/gu, '-')
    .replace(/^[.-]+|[.-]+$/g, '');
}
