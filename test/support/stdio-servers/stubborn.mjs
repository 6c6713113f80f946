// A server that neither the end of its input nor SIGTERM impresses.
import { serve } from './lines.mjs';

setInterval(() => {}, 60_000);
process.on('SIGTERM', () => {});
serve({ ping: () => ({}) });
