import { Buffer } from 'node:buffer';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../test/support/open-handles.ts';
import { until } from '../../../test/support/until.ts';
import {
  createFaultyProxy,
  type Fault,
  type FaultyProxy,
  type FaultyProxyOptions,
} from '../src/index.ts';
import { dial, startTcpTarget, type TcpEnd, type TcpTarget } from './support/tcp-ends.ts';

expectNothingLeftOpen();

const closers: AsyncDisposable[] = [];
afterEach(async () => {
  for (const closer of closers.splice(0).reverse()) await closer[Symbol.asyncDispose]();
});

interface Line {
  proxy: FaultyProxy;
  target: TcpTarget;
  /** Opens a connection; both its ends. */
  open(): Promise<{ client: TcpEnd; server: TcpEnd }>;
}

async function setUp(options: Partial<FaultyProxyOptions> = {}): Promise<Line> {
  const target = await startTcpTarget();
  closers.push(target);
  const proxy = await createFaultyProxy({
    target: { host: '127.0.0.1', port: target.port },
    ...options,
  });
  closers.push(proxy);
  const open = async (): Promise<{ client: TcpEnd; server: TcpEnd }> => {
    const before = target.ends.length;
    const client = await dial(proxy.port);
    closers.push({
      [Symbol.asyncDispose]: () => {
        client.socket.destroy();
        return Promise.resolve();
      },
    });
    await until(() => target.ends.length > before);
    return { client, server: target.ends[before] as TcpEnd };
  };
  return { proxy, target, open };
}

/** Something that passes through the proxy after all that was done before. */
async function passSomething({ open }: Line): Promise<void> {
  const { client, server } = await open();
  client.socket.write('x');
  await until(() => server.text === 'x');
  client.socket.destroy();
  server.socket.destroy();
}

/** Whether dialling ends in ECONNREFUSED. */
function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}

describe('a proxy without faults', () => {
  it('passes bytes and ends both ways', async () => {
    const { proxy, target, open } = await setUp();
    const { client, server } = await open();
    client.socket.end('question');
    await until(() => server.events.includes('end'));
    expect(server.text).toBe('question');
    server.socket.end('answer');
    await until(() => client.events.includes('closed'));
    expect(client.text).toBe('answer');
    expect(client.events).toEqual(['end', 'closed']);
    await until(() => proxy.openConnections === 0 && target.openConnections() === 0);
    expect(proxy.acceptedConnections).toBe(1);
    expect(proxy.faultCount).toBe(0);
  });

  it('delivers everything that a side sent before it closed', async () => {
    const { open } = await setUp();
    const { client, server } = await open();
    const sizeBytes = 5_000_000;
    server.socket.end(Buffer.alloc(sizeBytes, 'b'));
    client.socket.end(Buffer.alloc(sizeBytes, 'a'));
    await until(() => client.events.includes('closed') && server.events.includes('closed'));
    expect(server.text === 'a'.repeat(sizeBytes)).toBe(true);
    expect(client.text === 'b'.repeat(sizeBytes)).toBe(true);
  });

  it('reads no faster than the other side', async () => {
    const line = await setUp();
    const { client, server } = await line.open();
    server.socket.pause();
    const chunk = Buffer.alloc(1 << 20);
    let taken = 0;
    // Whatever the system's buffers take, 200 MiB is more.
    for (let i = 0; i < 200; i += 1) {
      client.socket.write(chunk, (error) => {
        if (error == null) taken += 1;
      });
    }
    let before = -1;
    while (taken !== before) {
      before = taken;
      for (let i = 0; i < 20; i += 1) await passSomething(line);
    }
    expect(taken).toBeLessThan(150);
    server.socket.resume();
    await until(() => server.receivedBytes === 200 * chunk.length);
  });

  it('resets a client whose target cannot be reached', async () => {
    const { proxy, target } = await setUp();
    const port = proxy.port;
    await target[Symbol.asyncDispose]();
    const client = await dial(port);
    await until(() => client.events.includes('closed'));
    expect(client.events).toContain('reset');
    await until(() => proxy.openConnections === 0);
    expect(proxy.failedDials).toBe(1);
  });

  it('takes a URL as its target', async () => {
    const target = await startTcpTarget();
    closers.push(target);
    const proxy = await createFaultyProxy({ target: `http://127.0.0.1:${target.port}/sse` });
    closers.push(proxy);
    expect(proxy.origin).toBe(`http://127.0.0.1:${proxy.port}`);
    const client = await dial(proxy.port);
    client.socket.end('hi');
    await until(() => target.ends[0]?.text === 'hi');
    client.socket.destroy();
  });
});

describe('a fault', () => {
  const direction = 'to-client';

  it('reset: resets both sides after the byte', async () => {
    const { proxy, open } = await setUp();
    const { client, server } = await open();
    expect(proxy.injectFault({ kind: 'reset', direction, afterBytes: 5 })).toBe(true);
    server.socket.write('123');
    await until(() => client.text === '123');
    expect(proxy.faultCount).toBe(0);
    server.socket.write('456');
    // Right behind data, Node may take a reset for an end.
    await until(() => client.events.length > 0 && server.events.includes('closed'));
    expect(server.events).toEqual(['reset', 'closed']);
    expect(client.text).toBe('12345');
    expect(proxy.faults).toMatchObject({ reset: 1, finish: 0 });
    expect(proxy.openConnections).toBe(0);
  });

  it('finish: ends both sides after the byte', async () => {
    const { proxy, open } = await setUp();
    const { client, server } = await open();
    proxy.injectFault({ kind: 'finish', direction, afterBytes: 5 });
    client.socket.write('question');
    await until(() => server.text === 'question');
    server.socket.write('123456');
    await until(() => client.events.includes('end') && server.events.includes('end'));
    expect(client.text).toBe('12345');
    client.socket.end('nobody hears this');
    server.socket.end('nor this');
    await until(() => client.events.includes('closed') && server.events.includes('closed'));
    expect(client.events).toEqual(['end', 'closed']);
    expect(server.events).toEqual(['end', 'closed']);
    expect(server.text).toBe('question');
    await until(() => proxy.openConnections === 0);
    expect(proxy.faults.finish).toBe(1);
  });

  it('half-close: ends one direction, and the other stays open', async () => {
    const { proxy, open } = await setUp();
    const { client, server } = await open();
    proxy.injectFault({ kind: 'half-close', direction, afterBytes: 5 });
    server.socket.write('123456');
    await until(() => client.events.includes('end'));
    expect(client.text).toBe('12345');
    client.socket.write('still here');
    await until(() => server.text === 'still here');
    expect(server.events).toEqual([]);
    client.socket.end();
    await until(() => server.events.includes('end'));
    server.socket.end();
    await until(() => proxy.openConnections === 0);
  });

  it('stall: no bytes pass in one direction, and those of the other do', async () => {
    const line = await setUp();
    const { proxy, open } = line;
    const { client, server } = await open();
    proxy.injectFault({ kind: 'stall', direction, afterBytes: 5 });
    server.socket.write('123456');
    await until(() => client.text === '12345');
    client.socket.write('question');
    await until(() => server.text === 'question');
    server.socket.write('answer');
    await passSomething(line);
    expect(client.text).toBe('12345');
    expect(client.events).toEqual([]);
    expect(proxy.faults.stall).toBe(1);
  });

  it('stall: the client does not learn that the target has closed, and ends the connection', async () => {
    const line = await setUp();
    const { proxy, open } = line;
    const { client, server } = await open();
    proxy.injectFault({ kind: 'stall', direction, afterBytes: 0, bothWays: true });
    server.socket.destroy();
    await until(() => server.events.includes('closed'));
    await passSomething(line);
    expect(client.events).toEqual([]);
    expect(proxy.openConnections).toBeGreaterThanOrEqual(1);
    client.socket.destroy();
    await until(() => proxy.openConnections === 0);
  });

  it.for(['to-target', 'to-client'] as const)(
    'stall %s: a target is let go when the client goes, however much it has said',
    async (held) => {
      const { proxy, open } = await setUp();
      const { client, server } = await open();
      proxy.injectFault({ kind: 'stall', direction: held, afterBytes: 0 });
      server.socket.write(Buffer.alloc(20_000_000));
      client.socket.end();
      client.socket.resume();
      await until(() => server.events.includes('closed') && client.events.length > 0);
      await until(() => proxy.openConnections === 0);
    },
  );

  it('delay: delivers everything later, the end included', async () => {
    const { proxy, open } = await setUp();
    const { client, server } = await open();
    proxy.injectFault({ kind: 'delay', direction, afterBytes: 5, durationMs: 20 });
    server.socket.end('123456');
    await until(() => client.events.includes('end'));
    expect(client.text).toBe('123456');
    expect(proxy.faults.delay).toBe(1);
    client.socket.end();
    await until(() => proxy.openConnections === 0);
  });

  it('refuse: refuses for a while, and leaves open connections alone', async () => {
    const { proxy, open } = await setUp();
    const { client, server } = await open();
    const port = proxy.port;
    proxy.injectFault({ kind: 'refuse', direction, afterBytes: 0, durationMs: 50 });
    expect(proxy.isRefusing).toBe(true);
    client.socket.write('still here');
    await until(() => server.text === 'still here');
    await until(() => !proxy.isRefusing);
    expect(proxy.port).toBe(port);
    await open();
    expect(proxy.faults.refuse).toBe(1);
  });

  it('happens on no connection that another fault has ended or stalled', async () => {
    const { proxy, open } = await setUp();
    const fault: Fault = { kind: 'stall', direction, bothWays: true, afterBytes: 0 };
    expect(proxy.injectFault(fault)).toBe(false);
    await open();
    await open();
    expect(proxy.injectFault(fault)).toBe(true);
    expect(proxy.injectFault({ ...fault, kind: 'reset' })).toBe(true);
    expect(proxy.injectFault(fault)).toBe(false);
    expect(proxy.faults).toMatchObject({ stall: 1, reset: 1 });
  });

  it('happens on no connection with a pending fault', async () => {
    const { proxy, open } = await setUp();
    await open();
    expect(proxy.injectFault({ kind: 'delay', direction, afterBytes: 10 })).toBe(true);
    expect(proxy.injectFault({ kind: 'reset', direction, afterBytes: 0 })).toBe(false);
    expect(proxy.faultCount).toBe(0);
  });

  it('counts the bytes of both directions with countIn: both', async () => {
    const { proxy, open } = await setUp();
    const { client, server } = await open();
    proxy.injectFault({ kind: 'half-close', direction, countIn: 'both', afterBytes: 5 });
    client.socket.write('123');
    await until(() => server.text === '123');
    server.socket.write('456');
    await until(() => client.events.includes('end'));
    expect(client.text).toBe('45');
    client.socket.write('789');
    await until(() => server.text === '123789');
  });

  it('prefers the oldest connection with oldestShare', async () => {
    const struck: number[] = [];
    const { proxy, open } = await setUp({ onFault: (_fault, number) => struck.push(number) });
    for (let i = 0; i < 4; i += 1) await open();
    for (let i = 0; i < 3; i += 1) {
      proxy.injectFault({ kind: 'reset', direction, afterBytes: 0 }, { oldestShare: 1 });
    }
    expect(struck).toEqual([1, 2, 3]);
  });
});

describe('the controls', () => {
  const fault = { kind: 'reset', direction: 'to-client', afterBytes: 0 } as const;

  it.for<[string, (proxy: FaultyProxy) => void]>([
    ['durationMs: must be a number', (proxy) => proxy.refuse(-1)],
    ['durationMs: must be a number', (proxy) => proxy.refuse(NaN)],
    ['durationMs: must be a number', (proxy) => proxy.refuse(2 ** 31)],
    ['durationMs: must be a number', (proxy) => proxy.refuse('abc' as unknown as number)],
    ['how: must be one of reset, finish', (proxy) => proxy.cutAll('x' as 'reset')],
    ['direction: must be one of', (proxy) => proxy.stallAll('x' as 'both')],
    ['kind: must be one of', (proxy) => proxy.injectFault({ ...fault, kind: 'x' as 'reset' })],
    [
      'direction: must be one of',
      (proxy) => proxy.injectFault({ ...fault, direction: 'x' as never }),
    ],
    ['countIn: must be one of', (proxy) => proxy.injectFault({ ...fault, countIn: 'x' as never })],
    ['afterBytes: must be a number', (proxy) => proxy.injectFault({ ...fault, afterBytes: -1 })],
    ['method: must be the name', (proxy) => proxy.injectFault({ ...fault, method: '' })],
    ['afterBytes: must be a whole', (proxy) => proxy.injectFault({ ...fault, afterBytes: 0.5 })],
    [
      'durationMs: must be a number',
      (proxy) => proxy.injectFault({ ...fault, kind: 'delay', durationMs: Infinity }),
    ],
  ])('fail with "%s…", and leave all as it was', async ([message, control]) => {
    const { proxy, open } = await setUp();
    const { client, server } = await open();
    expect(() => control(proxy)).toThrow(TypeError);
    expect(() => control(proxy)).toThrow(message);
    expect([proxy.isRefusing, proxy.faultCount]).toEqual([false, 0]);
    client.socket.write('still here');
    await until(() => server.text === 'still here');
  });

  it.for(['reset', 'finish'] as const)('cutAll(%s) ends all connections', async (how) => {
    const { proxy, open } = await setUp();
    const ends = [await open(), await open(), await open()];
    proxy.cutAll(how);
    const event = how === 'reset' ? 'reset' : 'end';
    for (const { client, server } of ends) {
      await until(() => client.events.includes(event) && server.events.includes(event));
    }
    for (const { client, server } of ends) {
      client.socket.end();
      server.socket.end();
    }
    await until(() => proxy.openConnections === 0);
    await open();
  });

  it('stallAll() lets no bytes pass until resume()', async () => {
    const line = await setUp();
    const { client, server } = await line.open();
    line.proxy.stallAll();
    client.socket.write('question');
    server.socket.end('answer');
    await passSomething(line);
    expect(client.text + server.text).toBe('');
    await line.proxy.resume();
    await until(() => client.events.includes('end'));
    expect(client.text).toBe('answer');
  });

  it.each([undefined, Infinity])('refuse(%s) refuses until resume()', async (durationMs) => {
    const { proxy, open } = await setUp();
    proxy.refuse(durationMs);
    expect(await isRefused(proxy.port)).toBe(true);
    proxy.refuse(durationMs);
    expect(proxy.isRefusing).toBe(true);
    await Promise.all([proxy.resume(), proxy.resume()]);
    expect(proxy.isRefusing).toBe(false);
    await open();
  });

  it('close() leaves nothing open in any state', async () => {
    const { proxy, target, open } = await setUp();
    const [stalled, delayed, full] = [await open(), await open(), await open()];
    full.server.socket.pause();
    full.client.socket.write(Buffer.alloc(50_000_000));
    proxy.injectFault({ kind: 'stall', direction: 'to-client', afterBytes: 0 }, { oldestShare: 1 });
    proxy.injectFault(
      { kind: 'delay', direction: 'to-client', afterBytes: 0, durationMs: 60_000 },
      { oldestShare: 1 },
    );
    proxy.refuse(60_000);
    await Promise.all([proxy.close(), proxy.close()]);
    expect(proxy.openConnections).toBe(0);
    full.server.socket.resume();
    await until(() => target.openConnections() === 0);
    await until(() => [stalled, delayed, full].every(({ client }) => client.socket.closed));
    await expect(proxy.resume()).rejects.toThrow('closed');
    expect(await isRefused(proxy.port)).toBe(true);
  });
});

describe('automatic faults', () => {
  // How much comes before a reset is not the proxy's to decide.
  const weights = { delay: 3, reset: 0 };
  const faults = { everyBytes: 200, weights, delayMs: 1, refuseMs: 1 };

  /** Passes the same bytes through a proxy, split in this way; what it decided, and what came. */
  async function decisionsOf(seed: number, chunkBytes: number): Promise<string[]> {
    const decisions: string[] = [];
    const { proxy, open } = await setUp({
      seed,
      faults,
      onFault: (fault, connection) => decisions.push(JSON.stringify({ connection, ...fault })),
    });
    expect(proxy.seed).toBe(seed);
    for (let i = 0; i < 12; i += 1) {
      await until(() => !proxy.isRefusing);
      const { client, server } = await open();
      for (const [from, to] of [
        [server, client],
        [client, server],
      ] as const) {
        await feed(from, to, chunkBytes);
      }
      decisions.push(
        `${server.receivedBytes} to the target, ${client.receivedBytes} to the client`,
      );
      client.socket.destroy();
      server.socket.destroy();
      await until(() => proxy.openConnections === 0);
    }
    return decisions;
  }

  /** Sends 1000 bytes, as far as they get. */
  async function feed(from: TcpEnd, to: TcpEnd, chunkBytes: number): Promise<void> {
    const before = to.receivedBytes;
    for (let sent = 0; sent < 1000 && from.socket.writable; sent += chunkBytes) {
      from.socket.write('x'.repeat(Math.min(chunkBytes, 1000 - sent)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    let last = -1;
    const isOver = (): boolean => to.events.length > 0 || to.receivedBytes - before === 1000;
    // What a stall holds never comes: enough is when nothing has come for a while.
    for (let quiet = 0; quiet < 20 && !isOver(); quiet += 1) {
      if (to.receivedBytes !== last) quiet = 0;
      last = to.receivedBytes;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  it('are the same for the same seed and the same bytes, however they are split', async () => {
    const decisions = await decisionsOf(4711, 1000);
    expect(decisions.length).toBeGreaterThan(20);
    expect(await decisionsOf(4711, 37)).toEqual(decisions);
    expect(await decisionsOf(4712, 1000)).not.toEqual(decisions);
  });

  it('are no more than max', async () => {
    const { proxy, open } = await setUp({
      faults: { everyBytes: 10, max: 3, weights: { ...only('reset') } },
    });
    for (let i = 0; i < 3; i += 1) {
      const { client, server } = await open();
      client.socket.write('x'.repeat(1000));
      server.socket.write('x'.repeat(1000));
      await until(() => client.events.length > 0 && server.events.length > 0);
    }
    const { client, server } = await open();
    client.socket.write('x'.repeat(1000));
    await until(() => server.receivedBytes === 1000);
    expect(proxy.faults.reset).toBe(3);
  });

  it('drawn on demand are the same for the same seed', async () => {
    const draw = async (seed: number): Promise<unknown[]> => {
      const { proxy, open } = await setUp({
        seed,
        faults: { refuseMs: 1, weights: { refuse: 0 } },
      });
      for (let i = 0; i < 30; i += 1) await open();
      return Array.from({ length: 20 }, () => proxy.injectRandomFault({ withinBytes: 100 }));
    };
    const drawn = await draw(99);
    expect(drawn.every((fault) => fault !== undefined)).toBe(true);
    expect(await draw(99)).toEqual(drawn);
    expect(await draw(100)).not.toEqual(drawn);
  });
});

describe('options', () => {
  const target = { host: '127.0.0.1', port: 1 };

  it.for<[string, unknown]>([
    ['options: must be an object with target', undefined],
    ['options: must be an object with target', null],
    ['options: must be an object with target', 'http://127.0.0.1:1'],
    ['traget: there is no such option; there are target', { traget: target }],
    ['seed: -1 is not a whole number', { target, seed: -1 }],
    ['seed: null is not a whole number', { target, seed: null }],
    ['target: must be a URL', {}],
    ['target: must be a URL', { target: {} }],
    ['target: must be a URL', { target: null }],
    ['target: must be a URL', { target: '' }],
    ['target: must be a URL', { target: '127.0.0.1:80' }],
    ['target: must be a URL', { target: 'localhost:80' }],
    ['target: must be a URL', { target: 3001 }],
    ['target: a URL of ftp: must name a port', { target: 'ftp://127.0.0.1' }],
    ['target: a URL of http: must name a port', { target: 'http://127.0.0.1:0' }],
    ['target.host: must be the name', { target: { port: 80 } }],
    ['target.host: must be the name', { target: { host: '', port: 80 } }],
    ['target.port: must be a whole number', { target: { host: '127.0.0.1' } }],
    ['target.port: must be a whole number', { target: { host: '127.0.0.1', port: 'x' } }],
    ['target.port: must be a whole number', { target: { host: '127.0.0.1', port: 65_536 } }],
    ['onFault: must be a function', { target, onFault: 'x' }],
    ['faults: must be an object', { target, faults: null }],
    ['faults: must be an object', { target, faults: [] }],
    ['faults.everyByte: there is no such option', { target, faults: { everyByte: 1 } }],
    ['faults.everyBytes: must be a number above 0', { target, faults: { everyBytes: 0 } }],
    ['faults.everyBytes: must be a number above 0', { target, faults: { everyBytes: '9' } }],
    ['faults.everyBytes: must be a number above 0', { target, faults: { everyBytes: NaN } }],
    ['faults.max: must be a number from 0 on', { target, faults: { max: '1' } }],
    ['faults.delayMs: must be a number from 0', { target, faults: { delayMs: -1 } }],
    ['faults.delayMs: must be a number from 0', { target, faults: { delayMs: Infinity } }],
    ['faults.refuseMs: must be a number from 0', { target, faults: { refuseMs: 2 ** 31 } }],
    ['faults.weights: must be an object', { target, faults: { weights: null } }],
    ['faults.weights: at least one', { target, faults: { weights: only() } }],
    ['faults.weights.flood: there is no such', { target, faults: { weights: { flood: 1 } } }],
    ['faults.weights.reset: must be a number', { target, faults: { weights: { reset: -1 } } }],
  ])('fails with "%s…"', async ([message, options]) => {
    const failure = createFaultyProxy(options as FaultyProxyOptions);
    await expect(failure).rejects.toThrow(TypeError);
    await expect(failure).rejects.toThrow(message);
  });

  it('accepts all of them, undefined ones included', async () => {
    const faults = { everyBytes: Infinity, max: Infinity, delayMs: 0, refuseMs: 0, weights: {} };
    for (const options of [
      { faults },
      { seed: undefined, faults: undefined, onFault: undefined },
    ]) {
      await using proxy = await createFaultyProxy({ target, ...options } as FaultyProxyOptions);
      expect(proxy.isRefusing).toBe(false);
    }
  });

  it('draws a seed that can be used again', async () => {
    await using first = await createFaultyProxy({ target });
    await using second = await createFaultyProxy({ target, seed: first.seed });
    expect(second.seed).toBe(first.seed);
  });
});

/** Weights that let only this kind be drawn. */
function only(kind?: Fault['kind']): Record<Fault['kind'], number> {
  const none = { reset: 0, finish: 0, 'half-close': 0, stall: 0, delay: 0, refuse: 0 };
  return kind === undefined ? none : { ...none, [kind]: 1 };
}
