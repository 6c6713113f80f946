import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Tool } from '@longwire/client';
import type { Context } from '../context.js';
import { isJsonObject } from '../json-object.js';
import { replaceFile } from '../replace-file.js';
import { userFolder } from '../user-folders.js';

/** What is kept of a server. */
interface Catalogue {
  /** Its URL or name, as it was written; not kept where it may hold a secret. */
  word?: string;
  tools: Tool[];
}

/** A larger catalogue is not kept: completing must stay quick. */
const maxFileBytes = 1024 * 1024;

/** Of so many servers the words are offered, those used last first. */
const maxWords = 50;

/** Of so many servers the tools are kept. */
const maxFiles = 200;

type Place = Pick<Context, 'env' | 'cwd' | 'environment'>;

/**
 * Keeps the tools of a server for the completion of later commands. The word is the server as it was
 * written; none is `MCP_SERVER_URL`. Where nothing can be written, nothing is kept.
 */
export function rememberTools(
  place: Place & Pick<Context, 'command'>,
  word: string | undefined,
  tools: readonly Tool[],
): void {
  // A command after `--` has no word, and is not `MCP_SERVER_URL`.
  if (word === undefined && place.command !== undefined) return;
  const key = keyOf(place, word);
  if (key === undefined) return;
  const isOpen = word !== undefined && URL.canParse(word) && isWithoutSecrets(new URL(word));
  const kept: Catalogue = {
    ...(isOpen && { word }),
    tools: tools.map(({ name, description, title, inputSchema }) => ({
      name,
      inputSchema,
      ...(description !== undefined && { description: description.slice(0, 200) }),
      ...(title !== undefined && { title }),
    })),
  };
  try {
    const text = JSON.stringify(kept);
    if (text.length > maxFileBytes) return;
    const folder = folderOf(place);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    replaceFile(join(folder, key), text, { mode: 0o600 });
    const older = filesIn(folder).slice(maxFiles);
    for (const each of older) rmSync(each, { force: true });
  } catch {
    // Completion is a convenience: a home that cannot be written to is no failure.
  }
}

/** The tools of a server as they were when a command last listed them; none if none did. */
export function rememberedTools(place: Place, word: string | undefined): Tool[] {
  const key = keyOf(place, word);
  return key === undefined ? [] : (read(join(folderOf(place), key))?.tools ?? []);
}

/** The URLs of servers whose tools are kept, those used last first. */
export function rememberedWords(place: Place): string[] {
  const folder = folderOf(place);
  try {
    return filesIn(folder)
      .slice(0, maxWords)
      .flatMap((file) => read(file)?.word ?? []);
  } catch {
    return [];
  }
}

/** Those used last first. */
function filesIn(folder: string): string[] {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .map((file) => ({ file, at: statSync(file).mtimeMs }))
    .toSorted((a, b) => b.at - a.at)
    .map(({ file }) => file);
}

function read(file: string): Catalogue | undefined {
  try {
    if (statSync(file).size > maxFileBytes) return undefined;
    const kept: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (!isJsonObject(kept) || !Array.isArray(kept['tools'])) return undefined;
    return kept as unknown as Catalogue;
  } catch {
    return undefined;
  }
}

function folderOf({ env }: Place): string {
  return join(userFolder('cache', env), 'catalogues');
}

/** A name means what the directory says it means, a URL the same everywhere. */
function keyOf({ cwd, environment }: Place, word: string | undefined): string | undefined {
  const server = word ?? environment.serverUrl;
  if (server === undefined) return undefined;
  const where = URL.canParse(server) ? '' : cwd;
  return `${createHash('sha256')
    .update(JSON.stringify([server, where]))
    .digest('hex')}.json`;
}

function isWithoutSecrets({ username, password, search }: URL): boolean {
  return username === '' && password === '' && search === '';
}
