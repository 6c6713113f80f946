/**
 * A program that stops on signals: an application with calls that end when the test says so, and event
 * streams. Run by stop.test.ts as a process of its own.
 */
import Fastify, { type FastifyReply } from 'fastify';
import type { AddressInfo } from 'node:net';
import { registerHealth } from '../../src/operate/health.ts';
import { installSignalHandlers } from '../../src/operate/signals.ts';
import { Stopper } from '../../src/operate/stop.ts';

const [delayMs = 0, graceMs = 0] = process.argv.slice(2).map(Number);
const tell = (what: unknown): void => void process.send?.(what);

let isReady = true;
let takesSessions = true;
let isReleased = false;
const calls = new Set<(text: string) => void>();
const streams = new Set<FastifyReply>();
let idle: (() => void) | undefined;

const app = Fastify({ forceCloseConnections: true });
const stopper = new Stopper(
  {
    setReady: (value) => {
      isReady = value;
    },
    refuseNewSessions: () => {
      takesSessions = false;
    },
    endPages: async () => {},
    endStreams: () => {
      for (const { raw } of streams) raw.end();
    },
    callsInFlight: () => calls.size,
    whenIdle: (signal) =>
      new Promise((resolve) => {
        if (calls.size === 0 || signal.aborted) resolve();
        idle = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      }),
    cancelAll: () => {
      for (const answer of calls) answer('cancelled');
    },
    closeApp: () => app.close(),
  },
  { app, delayMs, graceMs },
);
registerHealth(app, { isReady: () => isReady || 'stopping' });
app.get('/quick', async () => 'quick');
app.get('/session', async (_request, reply) => reply.code(takesSessions ? 200 : 503).send());
app.get('/stream', (_request, reply) => {
  reply.hijack();
  reply.raw.writeHead(200, { 'content-type': 'text/event-stream' });
  reply.raw.write(': open\n\n');
  streams.add(reply);
});
app.get('/call', async () => {
  if (isReleased) return 'done';
  return new Promise<string>((resolve) => {
    const answer = (text: string): void => {
      calls.delete(answer);
      resolve(text);
      if (calls.size === 0) idle?.();
    };
    calls.add(answer);
    tell({ calls: calls.size });
  });
});
process.on('message', () => {
  isReleased = true;
  for (const answer of calls) answer('done');
});

await app.listen({ port: 0, host: '127.0.0.1' });
const { stopped } = installSignalHandlers(stopper);
tell({ port: (app.server.address() as AddressInfo).port });
await stopped;
// The channel to the test would keep the process.
process.disconnect?.();
