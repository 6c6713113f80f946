import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { Pool } from 'undici';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { open } from '../fixture.ts';
import { bundle } from '../support/bundle.ts';

let program: Awaited<ReturnType<typeof bundle>>;

beforeAll(async () => {
  program = await bundle(new URL('stop-program.ts', import.meta.url));
});

afterAll(() => program.remove());

/** What the program tells. */
interface Told {
  port?: number;
  calls?: number;
}

/** A process that serves. */
class Served {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown[]>;
  url = '';

  constructor(options: { delayMs: number; graceMs: number }) {
    this.child = fork(program.path, [String(options.delayMs), String(options.graceMs)]);
    this.exited = once(this.child, 'exit');
    open.push(async () => {
      this.child.kill('SIGKILL');
      await this.exited;
    });
  }

  static async start(options: { delayMs: number; graceMs: number }): Promise<Served> {
    const served = new Served(options);
    const { port } = await served.told(({ port: its }) => its !== undefined);
    served.url = `http://127.0.0.1:${port}`;
    return served;
  }

  /** What the process says that is looked for. */
  told(isIt: (message: Told) => boolean): Promise<Told> {
    return new Promise((resolve) => {
      this.child.on('message', (message: Told) => {
        if (isIt(message)) resolve(message);
      });
    });
  }

  /** Begins calls, which wait; fulfilled when all of them have arrived. */
  async begin(count: number): Promise<Promise<Answer>[]> {
    const arrived = this.told(({ calls }) => calls === count);
    const calls = Array.from({ length: count }, () => ask(`${this.url}/call`));
    for (const call of calls) call.catch(() => {});
    await arrived;
    return calls;
  }
}

interface Answer {
  status: number | undefined;
  connection: string | undefined;
  text: string;
}

async function ask(url: string, agent = new Agent({ keepAlive: true })): Promise<Answer> {
  const [response] = (await once(get(url, { agent }), 'response')) as [IncomingMessage];
  return {
    status: response.statusCode,
    connection: response.headers.connection,
    text: await textOf(response),
  };
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return text;
}

/** An agent whose one connection is open. */
async function keptOpen(url: string): Promise<Agent> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  open.push(async () => agent.destroy());
  expect((await ask(`${url}/quick`, agent)).connection).toBe('keep-alive');
  return agent;
}

it('on SIGTERM no call is lost, streams end, connections close, and the process exits with 0', async () => {
  const served = await Served.start({ delayMs: 2_000, graceMs: 600_000 });
  const { url, child } = served;
  const [stream] = (await once(get(`${url}/stream`), 'response')) as [IncomingMessage];
  const agents = await Promise.all([keptOpen(url), keptOpen(url)]);
  const calls = await served.begin(20);

  child.kill('SIGTERM');
  for (;;) {
    const { status, text } = await ask(`${url}/readyz`);
    if (status === 503) {
      expect(text).toBe('{"status":"stopping"}');
      break;
    }
  }
  // A load balancer that has not seen it sends more.
  expect(await ask(`${url}/session`)).toMatchObject({ status: 200 });
  expect((await ask(`${url}/quick`, agents[0])).connection).toBe('keep-alive');

  expect(await textOf(stream)).toBe(': open\n\n');
  expect(await ask(`${url}/quick`, agents[0])).toEqual({
    status: 200,
    connection: 'close',
    text: 'quick',
  });
  expect(await ask(`${url}/session`, agents[1])).toMatchObject({
    status: 503,
    connection: 'close',
  });
  await expect(ask(`${url}/quick`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });

  child.send('release');
  for (const call of calls) {
    expect(await call).toEqual({ status: 200, connection: 'close', text: 'done' });
  }
  expect(await served.exited).toEqual([0, null]);
});

it('under load, a request is answered or finds the port closed', async () => {
  const served = await Served.start({ delayMs: 200, graceMs: 600_000 });
  const pool = new Pool(served.url, { connections: 20, pipelining: 1 });
  open.push(() => pool.destroy());
  let answered = 0;
  let isStopping = false;
  const work = Array.from({ length: 20 }, async () => {
    for (;;) {
      try {
        const { statusCode, body } = await pool.request({ path: '/quick', method: 'GET' });
        expect([statusCode, await body.text()]).toEqual([200, 'quick']);
        answered++;
      } catch (error) {
        return isStopping ? (error as { code?: string }).code : error;
      }
      if (answered === 500) {
        isStopping = true;
        served.child.kill('SIGTERM');
      }
    }
  });
  const ends = await Promise.all(work);
  expect(ends).toEqual(ends.map(() => 'ECONNREFUSED'));
  expect(answered).toBeGreaterThan(500);
  expect(await served.exited).toEqual([0, null]);
});

it('a call that takes longer than the grace period is cancelled, and answered', async () => {
  const served = await Served.start({ delayMs: 0, graceMs: 100 });
  const [call] = await served.begin(1);
  served.child.kill('SIGTERM');
  expect(await call).toEqual({ status: 200, connection: 'close', text: 'cancelled' });
  expect(await served.exited).toEqual([0, null]);
});

it('a connection that sends half a request does not keep the process', async () => {
  const served = await Served.start({ delayMs: 0, graceMs: 100 });
  const half = get(`${served.url}/quick`, { headers: { 'content-length': '5', expect: '' } });
  half.flushHeaders();
  const [socket] = (await once(half, 'socket')) as [NodeJS.Socket];
  half.on('error', () => {});
  if ((socket as { connecting?: boolean }).connecting === true) await once(socket, 'connect');
  served.child.kill('SIGTERM');
  expect(await served.exited).toEqual([0, null]);
});

it('SIGINT does not wait for load balancers', async () => {
  const served = await Served.start({ delayMs: 600_000, graceMs: 600_000 });
  served.child.kill('SIGINT');
  expect(await served.exited).toEqual([0, null]);
});

it('a second signal ends it at once', async () => {
  const served = await Served.start({ delayMs: 600_000, graceMs: 600_000 });
  void (await served.begin(1));
  served.child.kill('SIGTERM');
  for (;;) if ((await ask(`${served.url}/readyz`)).status === 503) break;
  served.child.kill('SIGTERM');
  expect(await served.exited).toEqual([null, 'SIGTERM']);
});
