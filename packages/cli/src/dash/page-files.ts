import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { existsSync } from 'node:fs';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** A file of the page. */
export interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
}

/** Where the build has put the page: beside the bundle, of which this is a chunk, or beside the sources. */
export function pageDirectory(): string {
  const places = ['../page/', '../../dist/page/'].map((place) =>
    fileURLToPath(new URL(place, import.meta.url)),
  );
  return places.find((place) => existsSync(place)) ?? places[0] ?? '';
}

/** A file of the page; `undefined` for one that there is not. `name` is of one asset, or nothing for the page itself. */
export async function readPageFile(
  directory: string,
  name?: string,
): Promise<PageFile | undefined> {
  if (name !== undefined && !/^[\w-][\w.-]*$/.test(name)) return undefined;
  const file = name === undefined ? 'index.html' : join('assets', name);
  const type = TYPES[extname(file)];
  if (type === undefined) return undefined;
  try {
    return { type, bytes: await readFile(join(directory, file)) };
  } catch {
    return undefined;
  }
}
