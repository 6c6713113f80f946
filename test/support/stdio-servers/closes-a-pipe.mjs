// A server that lives on, and closes its standard input or output when it is told to.
import { closeSync } from 'node:fs';
import { serve } from './lines.mjs';

setInterval(() => {}, 60_000);
serve({
  'close-output': () => closeSync(1),
  'close-input': () => {
    process.stdin.destroy();
    // Node leaves the pipe itself open.
    closeSync(0);
    return {};
  },
});
