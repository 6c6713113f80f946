// A server that writes 50 MB to its standard error before it answers anything.
import { writeSync } from 'node:fs';
import { serve } from './lines.mjs';

const mebibyte = Buffer.alloc(1024 * 1024, 'log log log log\n');
serve({
  ping: () => {
    for (let i = 0; i < 50; i++) {
      for (let from = 0; from < mebibyte.length;) from += writeSync(2, mebibyte.subarray(from));
    }
    writeSync(2, 'the very last line\n');
    return {};
  },
  exit: () => process.exit(1),
});
