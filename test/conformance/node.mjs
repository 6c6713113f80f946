/**
 * A node of the cluster that the suite's server scenarios are run against: the same server. Argument:
 * `NodeProgram` of the tests of clusters, as JSON.
 */
import { redis } from '@longwire/cluster';
import { startConformanceServer } from './server.mjs';

const { redis: url } = JSON.parse(process.argv[2] ?? '');
const serving = await startConformanceServer({
  signals: true,
  // Everybody who tests comes from one address.
  maxSessionsPerAddress: Infinity,
  ...(url !== undefined && { cluster: redis(url) }),
});

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.send?.({ url: serving.url });
process.channel?.unref();
