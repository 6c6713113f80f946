// A server that does as it is told, and exits when its input ends.
import { say, serve } from './lines.mjs';

serve({
  initialize: () => ({ capabilities: {}, serverInfo: { name: 'well-behaved', version: '1' } }),
  ping: () => ({}),
  echo: (params) => params,
  environment: () => process.env,
  cwd: () => ({ cwd: process.cwd() }),
  announce: () => say({ method: 'notifications/announced' }),
});
