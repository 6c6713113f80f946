import { InMemoryServerEventBus } from '@modelcontextprotocol/server';
import { serve, type ServeOptions } from '@longwire/server';
import { createKitServer, type KitState } from './kit-server.ts';

/** A server made with the kit, on one port. */
export interface KitServing extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
  /** `…/mcp` */
  readonly url: string;
  /** `…/sse` */
  readonly sseUrl: string;
  /** The keys of the calls of `read` and `write` that ran, in order. */
  readonly runs: string[];
  /** From now on these calls are not answered, until they are released. */
  hold(): void;
  release(): void;
}

/** Options of the kit that a test sets. */
export type KitOptions = Partial<Omit<ServeOptions, 'create'>>;

/** Serves on a free port of 127.0.0.1, tool-events included. */
export async function serveKit(options: KitOptions = {}): Promise<KitServing> {
  const bus = new InMemoryServerEventBus();
  const state: KitState = { runs: [], held: Promise.resolve(), bus };
  let release = (): void => {};
  const serving = await serve({
    create: ({ era }) => createKitServer(state, era),
    toolEvents: true,
    port: 0,
    ...options,
    stores: { ...options.stores, bus },
  });
  return {
    origin: new URL(serving.url).origin,
    url: serving.url,
    sseUrl: serving.sseUrl,
    runs: state.runs,
    hold: () => {
      ({ promise: state.held, resolve: release } = deferred());
    },
    release: () => release(),
    [Symbol.asyncDispose]: () => serving.close(),
  };
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
