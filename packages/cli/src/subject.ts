import { splitServer } from './choose-servers.js';
import { usageError } from './command-error.js';
import type { Context } from './context.js';
import { looksLikeAddress } from './target.js';

/** What a command is about, beside its server. */
interface SubjectWords {
  /** What it is called in messages, such as `resource`. */
  what: string;
  /** A whole command, as an example. */
  example: string;
}

/** The words of a command that is about one thing of a server. */
export interface Subject {
  /** The server, if a word names it. */
  server: string | undefined;
  /** The URI or the name. */
  name: string;
  /** `name=value` and its relatives. */
  words: string[];
}

/**
 * Splits the words `[server] name [key=value …]`: the last word before the first assignment is what the
 * command is about, since a resource's URI looks like that of a server.
 *
 * @throws LongwireError (usage) where it is missing, or there are more words.
 */
export async function splitSubject(
  all: readonly string[],
  context: Context,
  { what, example }: SubjectWords,
): Promise<Subject> {
  const first = all.findIndex(isAssignment);
  const before = first === -1 ? all : all.slice(0, first);
  const words = first === -1 ? [] : all.slice(first);
  const [last, server, ...more] = before.toReversed();
  if (last === undefined || (await isServerAlone(before, context))) {
    throw usageError(`no ${what} given: write it after the server, as in \`${example}\``);
  }
  if (more.length > 0) {
    throw usageError(
      `"${last}" is one word too many: write the server, the ${what}, and then name=value, as in \`${example}\``,
    );
  }
  if (server !== undefined && isWebUrl(last) && !isWebUrl(server)) {
    throw usageError(`the server comes first: \`${example}\``);
  }
  return { server, name: last, words };
}

/** Whether a word is `name=value`; a URI may have a query. */
function isAssignment(word: string): boolean {
  return /^[^\s:/{}=]+:?=/.test(word);
}

/** Whether the only word is a server, and no other server is given. */
async function isServerAlone(words: readonly string[], context: Context): Promise<boolean> {
  const [word] = words;
  if (word === undefined || words.length > 1) return false;
  const { command, connected, environment, options } = context;
  if (command !== undefined || connected !== undefined) return false;
  if (environment.serverUrl !== undefined && options.configFile === undefined) return false;
  if (isWebUrl(word) || looksLikeAddress(word)) return true;
  if (/^[a-z][a-z0-9+.-]*:/i.test(word) || options.configFile !== undefined) return false;
  const [server] = await splitServer([word], context);
  return server !== undefined;
}

function isWebUrl(word: string): boolean {
  return /^https?:\/\//i.test(word);
}
