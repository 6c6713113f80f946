import { LongwireError } from '../errors.js';

/**
 * Where to POST, from the data of an `endpoint` event: a URL relative to the stream's.
 *
 * "The client MUST … send all subsequent client messages as HTTP POST requests to this endpoint."
 * A server that names another origin could have us hand it our credentials: refused.
 *
 * @see https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 * @throws LongwireError `protocol`.
 */
export function endpointUrl(data: string, stream: URL): URL {
  const text = data.trim();
  if (text === '' || !URL.canParse(text, stream.href)) {
    throw new LongwireError('what the server named as its endpoint is no URL', {
      code: 'protocol',
      certainty: 'not-sent',
    });
  }
  const url = new URL(text, stream);
  if (url.origin !== stream.origin) {
    throw new LongwireError(
      `the server at ${stream.origin} named an endpoint of another origin (${url.origin}), and ` +
        'nothing was sent there',
      {
        code: 'protocol',
        certainty: 'not-sent',
        hint: 'connect to that address itself if you trust it',
      },
    );
  }
  return url;
}
