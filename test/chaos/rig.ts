import type { ClientOptions, CommandTarget } from '@longwire/client';
import {
  createFaultyProxy,
  createRandom,
  type FaultKind,
  type FaultyProxy,
} from '@longwire/testing';
import {
  startChaosServer,
  type ChaosServer,
  type CountingServer,
  type ServerWatch,
} from './chaos-server.ts';
import { CLIENT_OPTIONS, PROCESS_CLIENT_OPTIONS } from './client-options.ts';
import { startStdioServer } from './stdio-server.ts';
import type { TransportName, Variant } from './variants.ts';

/** What goes wrong: on the way to a server, or with the server itself. */
export type Mishap = FaultKind | 'restart' | 'kill';

/** A server, the faults of its connections, and a client's way there. */
export interface Rig extends AsyncDisposable {
  readonly server: CountingServer;
  readonly target: string | CommandTarget;
  readonly clientOptions: ClientOptions;
  /** What has gone wrong, by kind. */
  readonly mishaps: Readonly<Partial<Record<Mishap, number>>>;
  /** Has something go wrong, soon, or at once when it is late. It may not come to it. */
  strike(isLate: boolean): void;
  /** Connections and processes that there are now. */
  open(): number;
}

/** Options of a rig. */
export interface RigOptions extends ServerWatch {
  variant: Variant;
  seed: number;
  /** How often each kind of fault comes in proportion to the others. */
  weights?: Partial<Record<FaultKind, number>> | undefined;
}

/** What a stall costs is the time in which it is noticed; the other faults cost hardly any. */
const WEIGHTS: Partial<Record<FaultKind, number>> = { stall: 0.5, refuse: 0.5 };
/** Where in what passes a fault strikes: in the middle of an event, or several events later. */
const WITHIN_BYTES = 1024;
/** The stream is one connection among many, and the one that matters most. */
const OLDEST_SHARE = 0.5;
/** The share of mishaps that are the server's own. */
const RESTART_SHARE = 0.04;
/** A process is killed at most so long after a call has ended. */
const KILL_WITHIN_MS = 10;
/** What a stream of random numbers of the same seed is for. */
const MISHAP_STREAM = 2 ** 31;

/** Starts what a variant needs. */
export function startRig(options: RigOptions): Promise<Rig> {
  const { transport } = options.variant;
  return transport === 'stdio' ? startStdioRig(options) : startHttpRig(options, transport);
}

async function startHttpRig(
  { variant, seed, weights, onRun, onBreach }: RigOptions,
  transport: Exclude<TransportName, 'stdio'>,
): Promise<Rig> {
  const { resumable } = variant;
  const server = await startChaosServer({ transport, resumable, seed, onRun, onBreach });
  const faults = { weights: { ...WEIGHTS, ...weights } };
  const proxy = await createFaultyProxy({ target: server.origin, seed, faults });
  return new HttpRig(server, proxy);
}

class HttpRig implements Rig {
  readonly server: ChaosServer;
  readonly target: string;
  readonly clientOptions: ClientOptions = CLIENT_OPTIONS;
  readonly #proxy: FaultyProxy;
  readonly #random;
  #restarts = 0;

  constructor(server: ChaosServer, proxy: FaultyProxy) {
    this.server = server;
    this.target = proxy.origin + server.path;
    this.#proxy = proxy;
    this.#random = createRandom(proxy.seed, MISHAP_STREAM);
  }

  get mishaps(): Readonly<Partial<Record<Mishap, number>>> {
    return { ...this.#proxy.faults, restart: this.#restarts };
  }

  strike(isLate: boolean): void {
    if (this.#random.chance(RESTART_SHARE)) {
      this.server.restart({ cut: this.#random.chance(0.5) });
      this.#restarts += 1;
      return;
    }
    const withinBytes = isLate ? 0 : WITHIN_BYTES;
    this.#proxy.injectRandomFault({ withinBytes, oldestShare: OLDEST_SHARE });
  }

  open(): number {
    return this.#proxy.openConnections;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#proxy.close();
    await this.server[Symbol.asyncDispose]();
  }
}

async function startStdioRig({ seed, onRun, onBreach }: RigOptions): Promise<Rig> {
  const server = await startStdioServer({ seed, onRun, onBreach });
  const random = createRandom(seed, MISHAP_STREAM);
  let kills = 0;
  let waiting: NodeJS.Timeout | undefined;
  return {
    server,
    target: server.command,
    clientOptions: PROCESS_CLIENT_OPTIONS,
    get mishaps() {
      return { kill: kills };
    },
    strike: () => {
      waiting ??= setTimeout(() => {
        waiting = undefined;
        if (server.kill()) kills += 1;
      }, random.below(KILL_WITHIN_MS));
    },
    open: () => server.running(),
    [Symbol.asyncDispose]: async () => {
      clearTimeout(waiting);
      await server[Symbol.asyncDispose]();
    },
  };
}
