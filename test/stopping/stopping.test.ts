import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connect, type LongwireClient as Client, type ClientOptions } from '@longwire/client';
import { expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { startLateBalancer } from './late-balancer.ts';

expectNothingLeftOpen();

/** How late the balancer learns; the kit waits two seconds longer. */
const LATE_MS = 3_000;
/** Before the signal, and after the balancer has learnt: the time for calls that are not affected. */
const AROUND_MS = 1_500;
/** Of each transport. */
const CLIENTS = 6;

interface StoppingNode extends AsyncDisposable {
  readonly origin: string;
  readonly child: ChildProcess;
  /** The keys of the calls that it ran, in order. */
  readonly ran: readonly string[];
}

async function startNode(): Promise<StoppingNode> {
  const child = fork(fileURLToPath(new URL('node.mjs', import.meta.url)), [], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ran: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    child.on('message', (message: { url?: string; ran?: string }) => {
      if (message.url !== undefined) resolve(message.url);
      if (message.ran !== undefined) ran.push(message.ran);
    });
    child.once('exit', (code) => reject(new Error(`the node ended with ${code}`)));
  });
  return {
    origin: new URL(url).origin,
    child,
    ran,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/**
 * How many calls a client has in flight. When the node that has the session takes no connections any more,
 * the next call ends at another node, which does not know the session, while the first answers the others.
 * Over tool-events, where nothing says that a session can be resumed, calls are safe to run twice: one that
 * is sent while its stream ends may do so.
 */
const TRANSPORTS: readonly (readonly [string, string, number, ClientOptions])[] = [
  ['sse', '/sse', 3, { transport: 'sse' }],
  ['sessions', '/mcp', 3, { transport: 'streamable-http', protocol: '2025-11-25' }],
  ['stateless', '/mcp', 3, { transport: 'streamable-http', protocol: '2026-07-28' }],
  ['tool-events', '/sse', 1, { transport: 'tool-events' }],
];

it(
  'loses no call when a node is stopped under load, behind a proxy that learns of it late',
  { timeout: 120_000 },
  async () => {
    await using first = await startNode();
    await using second = await startNode();
    await using balancer = await startLateBalancer([first.origin, second.origin], LATE_MS);
    const clients: Client[] = [];
    const sent: string[] = [];
    const wrong: unknown[] = [];
    let isStopping = false;
    /** One call after the other: each is a payment, which must not be made twice unless it is safe. */
    const run = async (client: Client, name: string, idempotent: boolean): Promise<void> => {
      for (let count = 1; !isStopping; count++) {
        const key = `${name}-${count}`;
        sent.push(key);
        try {
          const { content } = await client.callTool('pay', { key }, { idempotent });
          expect(content).toEqual([{ type: 'text', text: `paid ${key}` }]);
        } catch (error) {
          wrong.push({ key, error });
        }
      }
    };
    const running: Promise<void>[] = [];
    for (const [transport, path, inFlight, options] of TRANSPORTS) {
      for (let count = 0; count < CLIENTS; count++) {
        const client = await connect(`${balancer.origin}${path}`, options);
        clients.push(client);
        for (let lane = 0; lane < inFlight; lane++) {
          running.push(run(client, `${transport}-${count}-${lane}`, transport === 'tool-events'));
        }
      }
    }
    await delay(AROUND_MS);
    expect(first.ran.length).toBeGreaterThan(0);
    const exited = once(first.child, 'exit');
    first.child.kill('SIGTERM');
    await balancer.learnt;
    expect(await exited).toEqual([0, null]);
    await delay(AROUND_MS);
    isStopping = true;
    await Promise.all(running);
    for (const client of clients) await client.close();

    expect(wrong).toEqual([]);
    const ran = [...first.ran, ...second.ran];
    expect([...new Set(ran)].toSorted()).toEqual(sent.toSorted());
    const twice = ran.filter((key, at) => ran.indexOf(key) !== at);
    expect(twice.filter((key) => !key.startsWith('tool-events'))).toEqual([]);
    // Something was at stake on either side.
    expect(second.ran.length).toBeGreaterThan(0);
  },
);
