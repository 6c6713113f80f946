import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { serve, type Serving } from '@longwire/server';
import { createDemoServer } from './server.js';

/** The demo's server where it listens. */
export interface DemoServing extends Serving {
  /** Drops the streams of all sessions without a word, as networks do. */
  cut: () => void;
}

/** Serves the demo's server on a free port of 127.0.0.1. */
export async function serveDemo(): Promise<DemoServing> {
  const streams = new Set<Socket>();
  const serving = await serve({ create: () => createDemoServer() });
  serving.app.server.on('request', ({ method, socket }: IncomingMessage) => {
    if (method !== 'GET') return;
    streams.add(socket);
    socket.once('close', () => streams.delete(socket));
  });
  const cut = (): void => {
    for (const stream of streams) stream.destroy();
  };
  return { ...serving, url: serving.sseUrl, cut };
}
