import { LongwireError } from '../../errors.js';
import { isSameOrigin, namedUrl, otherOriginAdvice, displayLocation } from '../../http/origin.js';

/**
 * Where to POST, from the data of an `endpoint` event: a URL relative to the stream's.
 *
 * "The client MUST … send all subsequent client messages as HTTP POST requests to this endpoint."
 * Another origin is refused, because it would get our credentials. A server behind TLS that names
 * itself by http is read as https.
 *
 * @see https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 * @throws LongwireError `protocol`.
 */
export function endpointUrl(data: string, stream: URL): URL {
  const url = namedUrl(data.trim(), stream);
  if (url === undefined) {
    throw new LongwireError('what the server named as its endpoint is no URL', {
      code: 'protocol',
      certainty: 'not-sent',
    });
  }
  if (!isSameOrigin(url, stream)) {
    throw new LongwireError(
      `the server at ${stream.origin} named an endpoint of another origin (${displayLocation(url)}), and ` +
        'nothing was sent there',
      { code: 'protocol', certainty: 'not-sent', hint: otherOriginAdvice(url, stream) },
    );
  }
  return url;
}

/**
 * Another URL where the endpoint may be: behind a proxy that removes a prefix from the paths of
 * requests, the server names its endpoint without it. Of the same origin; `undefined` if the stream has
 * no prefix.
 */
export function endpointBelowPrefix(endpoint: URL, stream: URL): URL | undefined {
  const prefix = stream.pathname.slice(0, stream.pathname.replace(/\/+$/, '').lastIndexOf('/'));
  if (prefix === '' || endpoint.pathname.startsWith(`${prefix}/`)) return undefined;
  const url = new URL(endpoint);
  url.pathname = prefix + endpoint.pathname;
  return url;
}
