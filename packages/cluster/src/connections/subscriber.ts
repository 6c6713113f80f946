import { Cluster, Redis } from 'ioredis';
import { KeptClient } from './kept-client.js';
import type { Client } from './open-client.js';

/** How often it is asked whether the connection still lives. */
const PING_MS = 1_000;
const POLL_MS = 20;

/** The channels that this process listens to, over one connection. */
export class Subscriber {
  readonly #kept: KeptClient;
  readonly #listeners = new Map<string, Set<(payload: string) => void>>();
  readonly #onMissed = new Set<() => void>();
  readonly #failed: (error: Error) => void;
  readonly #pings: NodeJS.Timeout;
  /** What Redis said, where this user may not listen. */
  #refusal: unknown;
  #hasListened = false;

  /**
   * @param open makes a connection that ends when it is lost.
   * @param failed told when a listener throws.
   */
  constructor(open: () => Client, failed: (error: Error) => void) {
    this.#failed = failed;
    this.#kept = new KeptClient(open, { ready: (client) => void this.#listen(client) });
    this.#pings = setInterval(() => {
      // What swallows bytes is found because this is not answered.
      this.#kept.ready?.ping().catch(() => {});
    }, PING_MS).unref();
  }

  /** Listens to a channel; what is returned ends that. */
  subscribe(channel: string, listener: (payload: string) => void): () => void {
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(listener));
    if (listeners.size === 1) this.#send('subscribe', channel);
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0) return;
      if (this.#listeners.get(channel) !== listeners) return;
      this.#listeners.delete(channel);
      this.#send('unsubscribe', channel);
    };
  }

  /**
   * Fulfilled when it is listened to all channels.
   *
   * @throws Error if Redis refuses that, or it takes longer.
   */
  async settled(withinMs: number): Promise<void> {
    const until = performance.now() + withinMs;
    for (;;) {
      try {
        const client = this.#kept.ready;
        if (client !== undefined) {
          await client.subscribe(...this.#listeners.keys());
          return;
        }
      } catch (error) {
        this.#noteRefusal(error);
      }
      if (this.#refusal !== undefined) {
        const why = 'Redis lets this user listen to no channels (ACL: &PREFIX*)';
        throw new Error(why, { cause: this.#refusal });
      }
      if (performance.now() > until) throw new Error('Redis does not let this node listen in time');
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Told when something that was published may have been missed. */
  onMissed(listener: () => void): () => void {
    this.#onMissed.add(listener);
    return () => this.#onMissed.delete(listener);
  }

  close(): void {
    clearInterval(this.#pings);
    this.#kept.close();
  }

  #send(command: 'subscribe' | 'unsubscribe', channel: string): void {
    // What is lost with the connection is done again by the next one.
    const client = this.#kept.ready;
    client?.[command](channel).catch(() => this.#kept.renew(client));
  }

  async #listen(client: Client): Promise<void> {
    // Until it is told that something may be missing before it: else it would count as the next in order.
    let held: [channel: string, payload: string][] | undefined = [];
    client.on('message', (channel: string, payload: string) => {
      if (held === undefined) this.#heard(channel, payload);
      else held.push([channel, payload]);
    });
    const channels = [...this.#listeners.keys()];
    try {
      if (channels.length > 0) await client.subscribe(...channels);
      this.#refusal = undefined;
    } catch (error) {
      this.#noteRefusal(error);
      this.#kept.renew(client);
      return;
    }
    if (this.#hasListened) for (const missed of this.#onMissed) missed();
    this.#hasListened = true;
    const first = held;
    held = undefined;
    for (const [channel, payload] of first) this.#heard(channel, payload);
  }

  #noteRefusal(error: unknown): void {
    if (String(error).includes('NOPERM')) this.#refusal = error;
  }

  #heard(channel: string, payload: string): void {
    for (const listener of this.#listeners.get(channel) ?? []) {
      try {
        listener(payload);
      } catch (error) {
        // What anybody may publish must not end the process.
        this.#failed(error as Error);
      }
    }
  }
}

/** A connection to one of the nodes: what is published in a Redis Cluster reaches all of them. */
export function openListener(commands: Client | undefined, open: () => Client): Client {
  if (!(commands instanceof Cluster)) return open();
  const nodes = commands.nodes('all');
  const node = nodes[Math.floor(Math.random() * nodes.length)];
  if (node === undefined) return open();
  const client = new Redis({
    ...node.options,
    replyMapping: 'legacy',
    retryStrategy: null,
    lazyConnect: false,
    readOnly: false,
  });
  client.on('error', () => {});
  return client;
}
