import { ServerError, type LongwireClient, type ReadResourceResult } from '@longwire/client';
import { didYouMean, nameList, nearest, shortName } from '@longwire/client/internal';
import { textArguments } from './arguments/text-arguments.js';
import type { WrittenSources } from './arguments/words.js';
import { usageError } from './command-error.js';
import type { Context } from './context.js';
import { describeResource } from './print-result.js';
import { sanitize, sanitizeLine } from './sanitize.js';
import type { MediaFolder } from './save-media.js';
import { operationOptions } from './session.js';
import { expandTemplate } from './uri-template.js';

/** Numbers of JSON-RPC with which servers say that there is no such resource, or no resources at all. */
const notThere: ReadonlySet<number> = new Set([-32002, -32602, -32600, -32601, -32603]);

/** A resource as it was written on a command line or at the prompt. */
export interface WrittenResource extends Pick<WrittenSources, 'stdin'> {
  /** Its URI, a template of URIs, or the name that the server lists it with. */
  name: string;
  /** The variables of a template, `name=value`. */
  words: readonly string[];
}

/**
 * Reads a resource that somebody wrote.
 *
 * @throws LongwireError (usage) for variables that the template lacks or does not have; what
 * `readResource` throws, with the URIs that the server lists and that are near.
 */
export async function readWritten(
  context: Context,
  client: LongwireClient,
  { name, words, stdin }: WrittenResource,
  options: { signal?: AbortSignal } = {},
): Promise<ReadResourceResult> {
  const { terminal, cwd } = context;
  const limits = { ...operationOptions(context), ...options };
  try {
    // A word that has no scheme is a name.
    const template = hasScheme(name) ? name : await uriOf(name, client, limits);
    const uri = expandTemplate(template, textArguments(words, { cwd, stdin }));
    terminal.showLive(`reading ${uri}`);
    try {
      return await client.readResource(uri, limits);
    } catch (error) {
      if (!(error instanceof ServerError) || !notThere.has(error.number)) throw error;
      terminal.showLive('asking for the resources');
      throw await withNearUris(error, uri, client, limits);
    }
  } finally {
    terminal.stopLive();
  }
}

/**
 * Checks what can be checked of a written resource before its server is asked.
 *
 * @throws LongwireError (usage) as {@link readWritten}.
 */
export function checkWritten({ cwd }: Context, { name, words, stdin }: WrittenResource): void {
  if (hasScheme(name)) expandTemplate(name, textArguments(words, { cwd, stdin }));
}

/**
 * Prints what a resource holds. A single text is printed as it is, where no terminal shows it, and without
 * control sequences where one does; several contents come under their URIs.
 */
export async function printContents(
  { terminal }: Pick<Context, 'terminal'>,
  { contents }: ReadResourceResult,
  options: { media: MediaFolder },
): Promise<void> {
  const [content] = contents;
  if (content === undefined) return terminal.remark('The resource has no content.');
  if (contents.length === 1 && 'text' in content) {
    if (!terminal.interactive) return terminal.text(content.text);
    const shown = sanitize(content.text);
    return terminal.text(shown.endsWith('\n') || shown === '' ? shown : `${shown}\n`);
  }
  for (const each of contents) {
    const tool = sourceOf(each.uri);
    terminal.print(await describeResource({ ...each }, { tool, media: options.media }));
  }
}

/** What a file with this content is named for: the last part of its URI. */
export function sourceOf(uri: string): string {
  const path = uri.replace(/[?#].*$/s, '').replace(/\/+$/, '');
  return /[^/:]*$/.exec(path)?.[0] || 'resource';
}

function hasScheme(word: string): boolean {
  return /^[a-z][a-z0-9+.-]*:/i.test(word);
}

/** The URI or template that the server lists with this name. */
async function uriOf(
  name: string,
  client: LongwireClient,
  limits: ReturnType<typeof operationOptions>,
): Promise<string> {
  const listed = await listUris(client, limits);
  // Some servers have URIs without a scheme.
  if (listed.some(({ uri }) => uri === name)) return name;
  const uris = new Set(listed.filter((each) => each.name === name).map(({ uri }) => uri));
  const [only, ...more] = uris;
  if (only !== undefined && more.length === 0) return only;
  if (only !== undefined) {
    throw usageError(`several resources are named "${shortName(name)}": ${nameList([...uris])}`);
  }
  const names = listed.flatMap((each) => [each.uri, each.name]);
  const hint = didYouMean(name, names) || ' `longwire resources` lists them.';
  throw usageError(`the server has no resource "${shortName(name)}".${hint}`);
}

interface ListedUri {
  uri: string;
  name: string;
}

async function listUris(
  client: LongwireClient,
  limits: ReturnType<typeof operationOptions>,
): Promise<ListedUri[]> {
  const [resources, templates] = await Promise.all([
    client.listResources(limits),
    // Servers without templates may not know the method.
    client.listResourceTemplates(limits).catch(() => []),
  ]);
  return [
    ...resources.map(({ uri, name }) => ({ uri, name })),
    ...templates.map(({ uriTemplate, name }) => ({ uri: uriTemplate, name })),
  ];
}

/** The same error, with what the server has instead. */
async function withNearUris(
  error: ServerError,
  uri: string,
  client: LongwireClient,
  limits: ReturnType<typeof operationOptions>,
): Promise<ServerError> {
  const listed = await listUris(client, limits).catch(() => undefined);
  if (limits.signal?.aborted === true || listed === undefined) return error;
  const uris = [...new Set(listed.map((each) => each.uri))];
  const hint = hintFor(uri, uris);
  if (hint === undefined) return error;
  const { number, data, summary } = error;
  return new ServerError(summary, { number, data, hint, cause: error });
}

function hintFor(uri: string, uris: readonly string[]): string | undefined {
  if (uris.length === 0) return 'the server lists no resources';
  if (uris.includes(uri)) return undefined;
  const near = nearest(uri, uris);
  if (near.length > 0) return `did you mean ${near.map(shortName).join(', ')}?`;
  const scheme = schemeOf(uri);
  const schemes = [...new Set(uris.map(schemeOf))];
  if (!schemes.includes(scheme)) {
    return `the URIs of the server begin with ${sanitizeLine(nameList(schemes))}`;
  }
  return '`longwire resources` lists what there is';
}

function schemeOf(uri: string): string {
  return /^[a-z][a-z0-9+.-]*:(?:\/\/)?/i.exec(uri)?.[0] ?? uri;
}
