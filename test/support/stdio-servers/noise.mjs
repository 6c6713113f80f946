// A server that takes its standard output for a log.
import { serve } from './lines.mjs';

const noise = [
  'Server running on stdio',
  '',
  ' \r',
  '\u001b[32mINFO\u001b[0m {"level":30,"msg":"ready"}',
  '{"level":30,"msg":"ready"}',
  '[1,2,3]',
  '42',
];
serve({
  ping: () => {
    process.stdout.write(noise.map((line) => `${line}\n`).join(''));
    return {};
  },
  garbled: () =>
    process.stdout.write('{"jsonrpc":"2.0","id":7,"result":"no object"}\n') && undefined,
});
