import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { networkAdvice, networkReason } from '@longwire/client/internal';
import { formatDuration } from '../durations.js';
import { sanitizeLine } from '../sanitize.js';
import type { Finding } from './examination.js';
import type { LayerLimits } from './name-and-address.js';

const maxRedirects = 5;

/** What a GET without credentials came to. */
export interface PlainAnswer {
  /** No head of a response came in time. */
  isSilent: boolean;
  /** An event stream was opened, and no byte of it came in time. */
  isSilentStream: boolean;
  /** The program that says that it answers. */
  server?: string;
}

/**
 * Asks by GET, as for an event stream and without any credentials, what answers at a URL. Only whether
 * HTTP is spoken breaks this layer: what a status means is for the server's own handshake to say.
 */
export async function askPlainly(
  url: URL,
  limits: LayerLimits,
): Promise<{ finding: Finding; answer: PlainAnswer }> {
  const limit = AbortSignal.any([limits.signal, AbortSignal.timeout(limits.timeoutMs)]);
  const lines: string[] = [];
  let at = new URL(url);
  // Node would send them as credentials.
  at.username = '';
  at.password = '';
  for (let redirects = 0; ; redirects++) {
    const asked = await ask(at, limit);
    if (!(asked instanceof Error)) {
      const { response, request } = asked;
      try {
        const location = locationOf(response, at);
        if (location !== undefined) {
          const isSame = location.origin === url.origin;
          lines.push(
            `redirects (${response.statusCode}) to ${location.origin}${location.pathname}${isSame ? '' : ', another origin, which is not followed'}`,
          );
          if (isSame && redirects < maxRedirects) {
            at = location;
            continue;
          }
        }
        return await described(response, { at, lines, limit });
      } finally {
        request.destroy();
      }
    }
    if (limit.aborted) {
      return {
        finding: {
          status: 'warning',
          detail: `a GET is not answered within ${formatDuration(limits.timeoutMs)}`,
          lines,
        },
        answer: { isSilent: true, isSilentStream: false },
      };
    }
    return {
      finding: {
        // Whether it is TLS that was wanted, the handshake finds out.
        status: 'warning',
        detail: `a GET fails: ${networkReason(asked, at)}`,
        lines,
        hint: networkAdvice(asked, at),
      },
      answer: { isSilent: false, isSilentStream: false },
    };
  }
}

async function ask(
  url: URL,
  signal: AbortSignal,
): Promise<{ response: IncomingMessage; request: ClientRequest } | Error> {
  const { get } = await import(url.protocol === 'https:' ? 'node:https' : 'node:http');
  const request = (get as typeof import('node:http').get)(url, {
    agent: false,
    signal,
    headers: { accept: 'text/event-stream, */*;q=0.1', 'accept-encoding': 'gzip, deflate, br' },
  });
  request.on('error', () => {});
  try {
    const [response] = (await once(request, 'response', { signal })) as [IncomingMessage];
    response.on('error', () => {});
    return { response, request };
  } catch (error) {
    request.destroy();
    return error as Error;
  }
}

async function described(
  response: IncomingMessage,
  { at, lines, limit }: { at: URL; lines: string[]; limit: AbortSignal },
): Promise<{ finding: Finding; answer: PlainAnswer }> {
  const { statusCode = 0, headers } = response;
  const type = sanitizeLine(String(headers['content-type'] ?? ''), 60);
  const server = sanitizeLine(String(headers.server ?? ''), 60);
  const via = sanitizeLine(String(headers.via ?? ''), 60);
  const isStream = statusCode === 200 && /^text\/event-stream\b/i.test(type);
  const isSilentStream = isStream && !(await hasByte(response, limit));
  const by = server === '' ? '' : ` by ${server}`;
  const what = type === '' ? '' : ` with ${type}`;
  if (via !== '') lines.push(`came through ${via}`);
  const coding = String(headers['content-encoding'] ?? 'identity');
  const isCompressed = isStream && coding !== 'identity';
  if (isCompressed) lines.push(`the stream is compressed (${sanitizeLine(coding, 20)})`);
  const finding: Finding = {
    status: statusCode >= 500 || isSilentStream || isCompressed ? 'warning' : 'ok',
    detail: `GET ${at.pathname} is answered ${statusCode}${what}${by}`,
    lines,
    facts: { httpStatus: statusCode, ...(server !== '' && { server }), ...(via !== '' && { via }) },
    ...(isCompressed && {
      hint: 'a proxy that compresses event streams may hold events back: leave text/event-stream out',
    }),
  };
  return { finding, answer: { isSilent: false, isSilentStream, ...(server !== '' && { server }) } };
}

async function hasByte(response: IncomingMessage, signal: AbortSignal): Promise<boolean> {
  try {
    await once(response, 'data', { signal });
    return true;
  } catch {
    return false;
  }
}

function locationOf({ statusCode = 0, headers }: IncomingMessage, from: URL): URL | undefined {
  const { location } = headers;
  if (statusCode < 300 || statusCode > 399 || location === undefined) return undefined;
  return URL.canParse(location, from.href) ? new URL(location, from) : undefined;
}
