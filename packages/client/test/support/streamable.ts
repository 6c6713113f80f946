import { afterEach, expect } from 'vitest';
import {
  startStreamable,
  type StreamableMischief,
  type StreamableServer,
} from '../../../../test/support/streamable-fixture.ts';
import { until } from '../../../../test/support/until.ts';
import { connect, type ClientOptions, type LongwireClient } from '../../src/index.ts';
import { atTheEndOfEachTest as recovery, quick, runsOf, type Gate } from './recovery.ts';

/** Makes strict servers of Streamable HTTP and clients of them; as its namesake for HTTP+SSE. */
export function atTheEndOfEachTest(): {
  closeLater: <T extends { close(): Promise<void> }>(thing: T) => T;
  serve: (mischief?: StreamableMischief) => Promise<StreamableServer>;
  gateTo: (server: { url: string }) => Promise<Gate>;
  client: (url: string, options?: ClientOptions) => LongwireClient;
  setUp: (
    mischief?: StreamableMischief,
    options?: ClientOptions,
  ) => Promise<{ server: StreamableServer; client: LongwireClient }>;
} {
  const { closeLater, gateTo, client } = recovery();
  const servers: StreamableServer[] = [];
  afterEach(() => {
    expect(servers.splice(0).flatMap(({ violations }) => violations)).toEqual([]);
  });
  const serve = async (mischief?: StreamableMischief): Promise<StreamableServer> => {
    const server = closeLater(await startStreamable(mischief));
    servers.push(server);
    return server;
  };
  return {
    closeLater,
    serve,
    gateTo,
    client,
    setUp: async (mischief, options = quick) => {
      const server = await serve(mischief);
      return { server, client: closeLater(await connect(server.url, options)) };
    },
  };
}

/** Waits until the server can say what nobody asked. */
export function heard(server: StreamableServer): Promise<void> {
  return until(() => expect(server.openStreams()).toBe(1));
}

/** Under which id the one call of a tool was sent. */
export function wireIdOf(server: StreamableServer, tool: string): number {
  const runs = runsOf(server, tool);
  expect(runs).toHaveLength(1);
  return runs[0]?.id as number;
}
