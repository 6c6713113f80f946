// A server that never answers. It reads nothing either until it gets SIGUSR2, and then tells the
// methods that it was sent.
import { say, serve } from './lines.mjs';

setInterval(() => {}, 60_000);
process.once('SIGUSR2', () =>
  serve({}).on('line', (line) => say({ method: 'notifications/read', params: JSON.parse(line) })),
);
say({ method: 'notifications/ready' });
