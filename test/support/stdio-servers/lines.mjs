import { createInterface } from 'node:readline';

/** Writes one message. */
export function say(message) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
}

/** Answers requests by what the method of their name returns; `undefined` leaves them unanswered. */
export function serve(methods) {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const { id, method, params } = JSON.parse(line);
    const result = methods[method]?.(params);
    if (result !== undefined) say({ id, result });
  });
  return lines;
}
