import Fastify from 'fastify';
import { request } from 'undici';
import { expect, it } from 'vitest';
import { mcp } from '../../src/index.ts';
import type { Mount } from '../../src/mount.ts';
import { Drain } from '../../src/operate/drain.ts';
import { registerHealth } from '../../src/operate/health.ts';
import { Stopper } from '../../src/operate/stop.ts';
import { call, endpointOf, listening, post, stream } from '../fixture.ts';
import { createSample, type Sample } from '../sample-server.ts';

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: {
    protocolVersion: '2024-11-05',
    capabilities: {},
    clientInfo: { name: 'c', version: '1' },
  },
};

/** An application with a Stopper, and its samples. */
async function stoppable(graceMs: number) {
  const app = Fastify();
  const drain = new Drain(() => app.close());
  const stopper = new Stopper(drain, { app, delayMs: 0, graceMs });
  registerHealth(app, drain);
  const samples: Sample[] = [];
  await app.register(mcp, {
    create: () => {
      const sample = createSample();
      samples.push(sample);
      return sample.server;
    },
    gates: [drain],
    onMount: (mount) => drain.add(mount as Mount),
  });
  const url = await listening(app);
  return { url, stopper, samples, drain };
}

/** A session over HTTP+SSE that is initialized. */
async function session(url: string) {
  const raw = await stream(`${url}/sse`);
  const endpoint = await endpointOf(raw, url);
  await post(endpoint, INITIALIZE);
  await raw.nextOf('message');
  return { raw, endpoint };
}

it('a stream without a call ends at once, another with the answer to its call', async () => {
  const { url, stopper, samples, drain } = await stoppable(600_000);
  const [idle, busy] = [await session(url), await session(url)];
  await post(busy.endpoint, call(1, 'count', { to: 1 }));
  // The call runs: it has logged.
  await busy.raw.nextOf('message');
  const stopped = stopper.stop();
  expect(await idle.raw.next()).toBeUndefined();
  expect(drain.isReady()).toBe('stopping');
  samples[1]?.release();
  expect(JSON.parse(await busy.raw.nextOf('message'))).toMatchObject({
    id: 1,
    result: { structuredContent: { to: 1 } },
  });
  expect(await busy.raw.next()).toBeUndefined();
  await stopped;
  await expect(request(`${url}/readyz`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

it('a call that outlives the grace period is cancelled, and its server closed', async () => {
  const { url, stopper, samples } = await stoppable(50);
  const { raw, endpoint } = await session(url);
  await post(endpoint, call(1, 'wait'));
  const signal = await samples[0]!.waiting;
  await stopper.stop();
  expect(signal.aborted).toBe(true);
  await samples[0]!.closed;
  expect(await raw.next().catch(() => undefined)).toBeUndefined();
});
