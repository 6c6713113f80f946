import Fastify from 'fastify';
import { once } from 'node:events';
import { connect } from 'node:net';
import { request } from 'undici';
import { expect, it } from 'vitest';
import { mcp } from '../../src/index.ts';
import type { Mount } from '../../src/mount.ts';
import { Drain } from '../../src/operate/drain.ts';
import { registerHealth } from '../../src/operate/health.ts';
import { Stopper } from '../../src/operate/stop.ts';
import { call, endpointOf, listening, open, post, stream } from '../fixture.ts';
import { RawStream } from '../raw-stream.ts';
import { createSample, type Sample } from '../sample-server.ts';
import { ask, headersOf, listen, onTheWire, toolCall } from '../stateless/requests.ts';

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

const CUT = {
  id: 1,
  error: { code: -32_000, data: { reason: 'stopping', certainty: 'outcome-unknown' } },
};

it.each(['sse', 'streamable-http'])(
  'a call over %s that outlives the grace period is answered, and its server closed',
  async (transport) => {
    const { url, stopper, samples } = await stoppable(50);
    let answer: Promise<string>;
    if (transport === 'sse') {
      const { raw, endpoint } = await session(url);
      await post(endpoint, call(1, 'wait'));
      answer = raw.nextOf('message');
    } else {
      const headers = { accept: 'application/json, text/event-stream' };
      const opened = await post(`${url}/mcp`, INITIALIZE, headers);
      const id = String(opened.headers['mcp-session-id']);
      const asked = { accept: 'application/json', 'mcp-session-id': id };
      answer = post(`${url}/mcp`, call(1, 'wait'), asked).then(({ text }) => text);
    }
    const signal = await samples[0]!.waiting;
    await stopper.stop();
    expect(signal.aborted).toBe(true);
    await samples[0]!.closed;
    expect(JSON.parse(await answer)).toMatchObject(CUT);
  },
);

it('a stateless call that outlives the grace period is answered, in JSON or on its stream', async () => {
  const { url, stopper, samples } = await stoppable(50);
  const answer = ask(`${url}/mcp`, toolCall('wait'));
  await expect.poll(() => samples.length).toBe(1);
  const signal = await samples[0]!.waiting;
  const message = toolCall('count', { to: 1 });
  const raw = await RawStream.post(`${url}/mcp`, message, headersOf(message));
  open.push(() => raw[Symbol.asyncDispose]());
  expect((await raw.next())!.data).toContain('notifications/progress');
  const stopped = stopper.stop();
  const { status, text } = await answer;
  expect([status, JSON.parse(text)]).toMatchObject([200, CUT]);
  expect(JSON.parse((await raw.next())!.data)).toMatchObject(CUT);
  expect(await raw.next()).toBeUndefined();
  expect(signal.aborted).toBe(true);
  await stopped;
});

it('a subscription ends with its result long before the calls, and no other begins', async () => {
  const { url, stopper, samples, drain } = await stoppable(600_000);
  const message = listen();
  const raw = await RawStream.post(`${url}/mcp`, message, headersOf(message));
  open.push(() => raw[Symbol.asyncDispose]());
  expect((await raw.next())!.data).toContain('acknowledged');
  const answer = ask(`${url}/mcp`, toolCall('count', { to: 0 }));
  await expect.poll(() => drain.callsInFlight()).toBe(1);
  drain.endStreams();
  expect(JSON.parse((await raw.next())!.data)).toMatchObject({ id: 1, result: {} });
  expect(await raw.next()).toBeUndefined();
  expect((await ask(`${url}/mcp`, message)).status).toBe(503);
  await expect.poll(() => samples.length).toBe(2);
  const stopped = stopper.stop();
  samples[1]!.release();
  expect(JSON.parse((await answer).text)).toMatchObject({ result: {} });
  await stopped;
});

it('a reader that does not take its answer holds up no stop', async () => {
  const { url, drain, samples } = await stoppable(600_000);
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  open.push(async () => socket.destroy());
  socket.write(onTheWire(toolCall('repeat', { text: 'x', times: 30_000_000 })));
  await once(socket, 'readable');
  expect(samples).toHaveLength(1);
  drain.endStreams();
  await drain.whenIdle(new AbortController().signal);
  expect(drain.callsInFlight()).toBe(0);
});
