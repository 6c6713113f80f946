// A server that dies in the middle of a call, in the way that the call names.
import { writeSync } from 'node:fs';
import { say, serve } from './lines.mjs';

serve({
  ping: () => ({}),
  exit: ({ words }) => {
    say({ method: 'notifications/last' });
    writeSync(2, words);
    process.exit(3);
  },
  kill: () => process.kill(process.pid, 'SIGKILL') && undefined,
  'half-a-line': () => {
    say({ method: 'notifications/last' });
    writeSync(1, '{"jsonrpc":"2.0","id":1,"result":{"half":');
    process.exit(0);
  },
  'line-without-end': () => {
    writeSync(1, '{"jsonrpc":"2.0","id":1,"result":{"whole":true}}');
    process.exit(0);
  },
});
