import { serve, type Serving } from '@longwire/server';
import type { McpServer } from '@modelcontextprotocol/server';
import { Alerts, createAlertsServer } from './alerts.js';
import { createLogsServer } from './logs.js';
import { createMetricsServer, Metering } from './metrics.js';

/** Enough that the call which restarts a server has begun. */
const RESTART_DELAY_MS = 50;

/** A server of the demo, where it listens. */
export interface DemoServer {
  readonly name: string;
  readonly url: string;
}

/** The servers of the demo while they listen. */
export interface DemoServers {
  readonly servers: readonly DemoServer[];
  close(): Promise<void>;
}

/** Serves the three servers of `longwire dash --demo`, each on a port of its own of 127.0.0.1. */
export async function serveDemoServers(): Promise<DemoServers> {
  const metering = new Metering();
  const alerts = new Alerts();
  const metrics = new RestartableServer((restart) => createMetricsServer(metering, restart));
  const others = [
    { name: 'logs', serving: new RestartableServer(() => createLogsServer()) },
    { name: 'alerts', serving: new RestartableServer(() => createAlertsServer(alerts)) },
  ];
  const all = [{ name: 'metrics', serving: metrics }, ...others];
  const servers = await Promise.all(
    all.map(async ({ name, serving }) => ({ name, url: await serving.start() })),
  );
  const close = async (): Promise<void> => {
    await Promise.all(all.map(({ serving }) => serving.close()));
  };
  return { servers, close };
}

/** A server that can end, and come back at the same address. */
class RestartableServer {
  readonly #create: () => McpServer;
  #serving: Serving | undefined;
  #port = 0;
  #timer: NodeJS.Timeout | undefined;
  #changing: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(create: (restart: (awayMs: number) => void) => McpServer) {
    this.#create = () => create((awayMs) => this.#restart(awayMs));
  }

  /** Begins to listen; the address by HTTP+SSE, on which a server can speak unasked. */
  async start(): Promise<string> {
    this.#serving = await serve({ create: this.#create, port: this.#port });
    this.#port = Number(new URL(this.#serving.url).port);
    return this.#serving.sseUrl;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#changing;
    await this.#serving?.close();
  }

  #restart(awayMs: number): void {
    this.#after(RESTART_DELAY_MS, async () => {
      await this.#serving?.close();
      this.#serving = undefined;
      this.#after(awayMs, async () => {
        await this.start();
      });
    });
  }

  #after(delayMs: number, change: () => Promise<void>): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // A port that was taken meanwhile: the server stays away.
      this.#changing = change().catch(() => undefined);
    }, delayMs);
  }
}
