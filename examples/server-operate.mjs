/**
 * What an operator needs: health, metrics, one line for each call, and an end that loses no call.
 */
import { connect } from '@longwire/client';
import { serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import { EventEmitter, once } from 'node:events';

const events = new EventEmitter();

function create() {
  const server = new McpServer({ name: 'mine', version: '1.0.0' });
  server.registerTool('report', {}, async () => {
    events.emit('begun');
    await once(events, 'go on');
    return { content: [{ type: 'text', text: 'the report' }] };
  });
  return server;
}

const serving = await serve({
  create,
  port: Number(process.env.PORT ?? 3001),
  // GET /healthz and GET /readyz are there by default, GET /metrics where it is asked for.
  metrics: true,
  // One record for each call: who, which tool, a digest of the arguments, outcome, duration.
  audit: ({ principal, target, outcome }) => console.log(`${principal} ${target}: ${outcome}`),
  // SIGTERM stops it in order: readiness fails; after the delay no connection is taken; calls in flight
  // may take the grace.
  signals: true,
  stop: { delayMs: 100, graceMs: 10_000 },
});
const { origin } = new URL(serving.url);
const statusOf = async (path) => (await fetch(`${origin}${path}`)).status;
console.log(`healthy ${await statusOf('/healthz')}, ready ${await statusOf('/readyz')}`);

const client = await connect(serving.url, { protocol: '2025-11-25' });
const begun = once(events, 'begun');
const call = client.callTool('report');
await begun;
const metrics = await (await fetch(`${origin}/metrics`)).text();
console.log(metrics.split('\n').find((line) => line.includes('sessions') && !line.startsWith('#')));

const stopped = serving.stop();
console.log(
  `while it stops: healthy ${await statusOf('/healthz')}, ready ${await statusOf('/readyz')}`,
);
events.emit('go on');
console.log((await call).content[0].text);
await stopped;
await client.close();
