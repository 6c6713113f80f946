/**
 * Reads the body of a request, and passes it on once it is whole.
 *
 * @param {import('node:http').IncomingMessage} request
 * @param {(body: string) => void} onBody
 */
export function readBody(request, onBody) {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => onBody(body));
}
