// A server whose line never ends.
import { writeSync } from 'node:fs';
import { serve } from './lines.mjs';

const part = 'x'.repeat(10_000);
serve({
  ping: () => {
    try {
      for (;;) writeSync(1, part);
    } catch {
      process.exit(0);
    }
  },
});
