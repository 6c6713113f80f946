import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { connect as connectByTls } from 'node:tls';
import {
  networkAdvice,
  networkReason,
  openTunnel,
  proxyRefused,
  type Proxy,
} from '@longwire/client/internal';
import { formatDuration } from '../durations.js';
import { sanitizeLine } from '../sanitize.js';
import type { Finding } from './examination.js';
import { hostOf, portOf, type LayerLimits } from './name-and-address.js';
import type { Way } from './proxy.js';

const maxRedirects = 5;

/** How long a proxy may take: the layer has a limit of its own. */
const tunnelMs = 60_000;

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
  way: Way,
): Promise<{ finding: Finding; answer: PlainAnswer }> {
  const limit = AbortSignal.any([limits.signal, AbortSignal.timeout(limits.timeoutMs)]);
  const lines: string[] = [];
  let at = new URL(url);
  // Node would send them as credentials.
  at.username = '';
  at.password = '';
  for (let redirects = 0; ; redirects++) {
    const asked = await ask(at, limit, way);
    if (!(asked instanceof Error)) {
      const { response, request } = asked;
      try {
        if (response.statusCode === 407 && way.proxy !== undefined) {
          return refusedByProxy(response, way.proxy, at);
        }
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
  way: Way,
): Promise<{ response: IncomingMessage; request: ClientRequest } | Error> {
  let request: ClientRequest | undefined;
  try {
    request = await requestOver(url, signal, way);
    request.on('error', () => {});
    const [response] = (await once(request, 'response', { signal })) as [IncomingMessage];
    response.on('error', () => {});
    return { response, request };
  } catch (error) {
    request?.destroy();
    return error as Error;
  }
}

/** A GET over the network of the server: by a tunnel of the proxy, or asked of the proxy itself. */
async function requestOver(
  url: URL,
  signal: AbortSignal,
  { network, proxy }: Way,
): Promise<ClientRequest> {
  const { get } = await import('node:http');
  const { get: getByTls } = await import('node:https');
  const headers = {
    accept: 'text/event-stream, */*;q=0.1',
    'accept-encoding': 'gzip, deflate, br',
  };
  const options = { agent: false, signal, headers };
  if (url.protocol === 'https:') {
    const { secureContext } = network.tls;
    const trusted = { ...options, ...(secureContext !== undefined && { secureContext }) };
    if (proxy === undefined) return getByTls(url, trusted);
    const host = { hostname: hostOf(url), port: portOf(url) };
    const socket = await openTunnel(proxy, host, {
      signal,
      tls: network.trust,
      timeoutMs: tunnelMs,
    });
    const servername = isIP(host.hostname) === 0 ? host.hostname : '';
    const createConnection = (): Socket =>
      connectByTls({ socket, servername, ...network.tls, ALPNProtocols: ['http/1.1'] });
    // With an agent, the agent would connect.
    const { agent: _agent, ...unpooled } = trusted;
    return getByTls(url, { ...unpooled, createConnection });
  }
  if (proxy === undefined) return get(url, options);
  const { authorization } = proxy;
  const forProxy = authorization === undefined ? {} : { 'proxy-authorization': authorization };
  const asked = {
    ...options,
    path: url.href,
    headers: { ...headers, host: url.host, ...forProxy },
  };
  if (proxy.url.protocol === 'http:') return get(proxy.url, asked);
  return getByTls(proxy.url, { ...asked, ...network.trust });
}

function refusedByProxy(
  { headers }: IncomingMessage,
  proxy: Proxy,
  { host }: URL,
): { finding: Finding; answer: PlainAnswer } {
  const offered = [headers['proxy-authenticate'] ?? []].flat();
  const { message: detail, hint } = proxyRefused(proxy, { status: 407, host, offered });
  return {
    finding: { status: 'failed', layer: 'proxy', detail, hint, facts: { httpStatus: 407 } },
    answer: { isSilent: false, isSilentStream: false },
  };
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
