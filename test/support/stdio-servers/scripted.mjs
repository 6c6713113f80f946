// Answers each method with the text that its first argument, a JSON object, has for it. `$ID`
// stands for the id of the request, `$DEEP` for arrays nested 100 000 deep, `$MANY` for an array of
// 16 MB. A version or a cursor that is asked for may have an answer of its own.
import { createInterface } from 'node:readline';

const unknown = '{"jsonrpc":"2.0","id":$ID,"error":{"code":-32601,"message":"no such method"}}';
const answers = JSON.parse(process.argv[2] ?? '{}');

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  const asked = JSON.stringify(params?.protocolVersion ?? params?.cursor);
  const text = answers[`${method} ${asked}`] ?? answers[method] ?? unknown;
  if (id !== undefined) {
    process.stdout.write(`${expand(text, id)}\n`);
  }
}

function expand(text, id) {
  return text
    .replace('$ID', JSON.stringify(id))
    .replace('"$DEEP"', '['.repeat(100_000) + ']'.repeat(100_000))
    .replace('"$MANY"', `[${'1,'.repeat(8_000_000)}1]`);
}
