/**
 * A program that serves tools which throw where nobody waits for it. Run by uncaught.test.ts as a process
 * of its own.
 */
import { McpServer, type CallToolResult } from '@modelcontextprotocol/server';
import { EventEmitter } from 'node:events';
import { readFile } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { serve } from '../../src/index.ts';

const tell = (what: object): void => void process.send?.(what);
const fail = (): never => {
  throw new Error('a misdeed');
};
const poison = new Proxy(Object.create(null) as object, {
  get: fail,
  has: fail,
  getPrototypeOf: fail,
  ownKeys: fail,
});

/** Throws what need not be an error. */
const throwLater = (thrown: unknown): unknown =>
  setTimeout(() => {
    throw thrown;
  }, 1);

/** Node tells the context of an error in `queueMicrotask` since version 24. */
const [major = 0] = process.versions.node.split('.').map(Number);

/** How a tool throws. */
const WAYS: Readonly<Record<string, () => unknown>> = {
  'in a timer': () => setTimeout(fail, 1),
  'in an interval': () => {
    const timer = setInterval(() => {
      clearInterval(timer);
      fail();
    }, 1);
  },
  'in an immediate': () => setImmediate(fail),
  'in a tick': () => process.nextTick(fail),
  ...(major >= 24 && { 'in a microtask': () => queueMicrotask(fail) }),
  'in a callback': () => readFile('/', fail),
  'in a listener of a socket': () =>
    connect(Number(new URL(serving.url).port), '127.0.0.1', fail).unref(),
  'as an error event': () => connect(1, '127.0.0.1'),
  'as an error event of its own': () =>
    setTimeout(() => new EventEmitter().emit('error', new Error('a misdeed')), 1),
  'as a rejection': () => void Promise.reject(new Error('a misdeed')),
  'as a rejection that comes later': () => void sleep(1).then(fail),
  'as a rejection of a timer': () =>
    void new Promise((_resolve, reject) => setTimeout(() => reject(new Error('a misdeed')), 1)),
  'undefined in a timer': () => throwLater(undefined),
  'a rejection with a text': () => void Promise.reject('a misdeed'),
  'what cannot be read, in a timer': () => throwLater(poison),
  'what cannot be read, as a rejection': () => void Promise.reject(poison),
  'an error whose stack throws': () =>
    throwLater(Object.defineProperty(new Error('x'), 'stack', { get: fail })),
};

/** Made once, and known to the test by their names. */
function create(): McpServer {
  const server = new McpServer({ name: 'uncaught', version: '1.0.0' });
  server.registerTool('note', {}, () => ({ content: [{ type: 'text', text: 'alive' }] }));
  for (const [way, run] of Object.entries(WAYS)) {
    const name = way.replaceAll(/\W/g, '_');
    server.registerTool(name, {}, () => {
      run();
      return new Promise<CallToolResult>(() => {});
    });
    server.registerTool(`answered_${name}`, {}, () => {
      setTimeout(run, 1);
      return { content: [] };
    });
  }
  return server;
}

const serving = await serve({
  create,
  toolEvents: true,
  answerUncaught: process.argv[2] !== 'off',
  logger: pino(pino.destination({ dest: 1, sync: true })),
});

process.on('message', (message) => {
  switch (message) {
    case 'throw':
      setTimeout(() => {
        throw new Error('of no call');
      }, 1);
      return;
    case 'reject':
      void Promise.reject(new Error('of no call'));
      return;
    case 'listen':
      process.on('uncaughtException', ({ message: taken }) => tell({ taken }));
      return;
    case 'close':
      void serving
        .close()
        .then(() => tell({ left: process.listenerCount('uncaughtExceptionMonitor') }));
  }
});
tell({ origin: new URL(serving.url).origin, ways: Object.keys(WAYS) });
