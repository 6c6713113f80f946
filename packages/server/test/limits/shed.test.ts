import fastify, { type FastifyInstance } from 'fastify';
import { request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createLoadShedder,
  resolveShed,
  type LoadShedder,
  type ShedOptions,
} from '../../src/limits/shed.ts';
import { refuse } from '../../src/refusal.ts';
import { sampleCall } from '../support/calls.ts';

const open: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
});

interface Shedding {
  readonly url: string;
  readonly shedder: LoadShedder;
}

/** An application that asks for new sessions, and not for what ends them. */
async function shedding(options: ShedOptions): Promise<Shedding> {
  const app = fastify();
  open.push(app);
  let shedder: LoadShedder | undefined;
  await app.register(async (mount) => {
    shedder = await createLoadShedder(mount, resolveShed({ sampleMs: 20, ...options }));
    mount.post('/mcp', async (_request, reply) => {
      const refusal = shedder?.refusesSession();
      return refusal ? refuse(reply, refusal) : {};
    });
    mount.delete('/mcp', async () => ({}));
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  if (shedder === undefined) throw new Error('nothing is shed');
  return { url, shedder };
}

async function send(
  url: string,
  method: 'POST' | 'DELETE',
): Promise<{ status: number; body: string; retryAfter: unknown }> {
  const { statusCode, headers, body } = await request(`${url}/mcp`, { method });
  return { status: statusCode, body: await body.text(), retryAfter: headers['retry-after'] };
}

/** Asks until the answer has this status: what is measured is known a sample later. */
async function until(status: number, ask: () => Promise<{ status: number }>): Promise<void> {
  while ((await ask()).status !== status) await new Promise(setImmediate);
}

describe('load shedding', () => {
  it('refuses new sessions and new calls while the event loop is late, and takes them again', async () => {
    const { url, shedder } = await shedding({ maxEventLoopDelayMs: 150, retryAfterMs: 1_500 });
    await until(200, () => send(url, 'POST'));
    await until(200, async () => ({ status: shedder.admit(sampleCall())?.status ?? 200 }));
    let isBusy = true;
    const busy = (): void => {
      const end = performance.now() + 300;
      while (performance.now() < end);
      if (isBusy) setImmediate(busy);
    };
    busy();
    await until(503, () => send(url, 'POST'));
    const refused = await send(url, 'POST');
    expect(refused).toMatchObject({ status: 503, retryAfter: '2' });
    expect(JSON.parse(refused.body)).toMatchObject({
      error: { code: -32_000, data: { reason: 'overloaded', retryAfterMs: 1_500 } },
    });
    expect(shedder.admit(sampleCall())).toMatchObject({ status: 503 });
    expect(shedder.admit(sampleCall({ method: 'ping', target: undefined }))).toBeUndefined();
    expect((await send(url, 'DELETE')).status).toBe(200);
    isBusy = false;
    await until(200, () => send(url, 'POST'));
    await until(200, async () => ({ status: shedder.admit(sampleCall())?.status ?? 200 }));
  });

  it('refuses new work above a heap or a process of a size', async () => {
    for (const options of [{ maxHeapBytes: 1 }, { maxRssBytes: 1 }]) {
      const { url } = await shedding(options);
      await until(503, () => send(url, 'POST'));
      expect((await send(url, 'DELETE')).status).toBe(200);
    }
  });

  it('works for two mounts, and measures nothing where it is off', async () => {
    const app = fastify();
    open.push(app);
    const made = [
      await createLoadShedder(app, resolveShed()),
      await createLoadShedder(app, resolveShed()),
      await createLoadShedder(app, resolveShed(false)),
      await createLoadShedder(
        app,
        resolveShed({ maxEventLoopDelayMs: Infinity, maxHeapBytes: Infinity }),
      ),
    ];
    expect(made.map((shedder) => shedder === undefined)).toEqual([false, false, true, true]);
    expect(made[0]?.refusesSession()).toBeUndefined();
  });

  it.each([
    [{ maxEventLoopDelayMs: -1 }, 'shed.maxEventLoopDelayMs'],
    [{ maxHeapBytes: 0 }, 'shed.maxHeapBytes'],
    [{ heap: 1 }, 'shed.heap'],
  ])('is checked: %j', (options, named) => {
    expect(() => resolveShed(options as ShedOptions)).toThrow(named);
  });
});
