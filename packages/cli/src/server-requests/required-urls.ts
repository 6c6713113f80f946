import { ServerError, type ElicitRequestURLParams } from '@longwire/client';
import type { Context } from '../context.js';
import { isJsonObject } from '../json-object.js';
import { askUrl, readUrl } from './ask-url.js';
import { Questions } from './questions.js';

/**
 * The number of the error of a server that answers a request only after a person has opened an address.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation
 */
const urlElicitationRequired = -32_042;

/** More than this nobody opens for one call. */
const maxUrls = 5;

/**
 * Asks a person to open the addresses that an error of a server names. Once they are opened, the request
 * can be made again.
 *
 * @throws the error itself if it names none; with a hint if they were not opened.
 */
export async function openRequiredUrls(
  context: Context,
  server: string,
  error: ServerError,
): Promise<void> {
  if (error.number !== urlElicitationRequired) throw error;
  const questions = new Questions(context, server);
  const wanted = urlsOf(error);
  if (wanted.length === 0 || wanted.length > maxUrls) throw error;
  const { env, interruptions } = context;
  for (const params of wanted) {
    const read = readUrl(params.url);
    if (!read.ok) {
      questions.remark(`wants an address opened that is refused: ${read.reason}`);
      throw error;
    }
    const asked = { server: questions.server, params, url: read.url, env, awaitsEnd: true };
    const answer = questions.canAsk
      ? await questions.ask(interruptions.signal, (desk) => askUrl(desk, asked))
      : undefined;
    if (answer?.action !== 'accept') throw notOpened(error, read.url);
  }
}

function notOpened(error: ServerError, { href }: URL): ServerError {
  const { number, data, summary } = error;
  const hint = `open ${href}, and call again`;
  return new ServerError(summary, { number, data, hint, cause: error });
}

function urlsOf({ data }: ServerError): ElicitRequestURLParams[] {
  const listed: unknown = isJsonObject(data) ? data['elicitations'] : undefined;
  if (!Array.isArray(listed)) return [];
  return listed.flatMap((each: unknown) => {
    if (!isJsonObject(each)) return [];
    const { url, message = '', elicitationId = '' } = each;
    if (typeof url !== 'string' || typeof message !== 'string') return [];
    return [{ mode: 'url', url, message, elicitationId: String(elicitationId) }];
  });
}
