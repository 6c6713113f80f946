import type { NodeMessage } from '@longwire/server';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { KeptClient } from '../connections/kept-client.js';
import type { Client } from '../connections/open-client.js';
import { EVEN_IF_FULL, type RedisConnection } from '../connections/redis-connection.js';
import type { Keys } from '../keys.js';
import { isObject, readJson } from '../payloads.js';
import { SeenNumbers } from './seen-numbers.js';

/** KEYS: lease and inbox of the node. ARGV: TTL, how many may wait, sender, number, message, whether without a lease. */
const SEND = `${EVEN_IF_FULL}
if ARGV[6] == '0' and redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', 'f', ARGV[3], 'n', ARGV[4], 'm', ARGV[5])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return 1`;
const TRIM = `${EVEN_IF_FULL}return redis.call('XTRIM', KEYS[1], 'MINID', ARGV[1])`;

const TTL_MS = 60_000;
/** Messages that wait for a node; it is stalled, and the oldest are of no use any more. */
const MAX_WAITING = 100_000;
const COUNT = 500;
const BLOCK_MS = 1_000;
/** A read that takes so much longer has lost its connection, though nobody said so. */
const GRACE_MS = 2_000;
const TRIM_MS = 1_000;
/** It is remembered of so many nodes what they have sent. */
const MAX_SENDERS = 10_000;

type Entries = readonly (readonly [id: string, fields: readonly string[]])[];

/** What an inbox is made with. */
export interface InboxOptions {
  readonly node: string;
  readonly connection: RedisConnection;
  readonly keys: Keys;
  /** A message, in the order in which its sender sent them, once. */
  readonly received: (message: NodeMessage, from: string) => void;
  readonly failed: (error: unknown) => void;
  /** Whether a node that has no lease is gone: it may be about to have one again. */
  readonly isGone: (node: string) => Promise<boolean>;
}

/** Messages between nodes: a Redis stream for each. */
export class Inbox {
  readonly #options: InboxOptions;
  readonly #reader: KeptClient;
  readonly #seen = new Map<string, SeenNumbers>();
  readonly #trimmer: NodeJS.Timeout;
  #sent = 0;
  #lastId = '0';
  #trimmedTo = '0';
  #isClosed = false;

  constructor(options: InboxOptions) {
    this.#options = options;
    const { connection } = options;
    this.#reader = new KeptClient(() => connection.connect(), {
      ready: (client) => void this.#read(client),
    });
    this.#trimmer = setInterval(() => this.#trim(), TRIM_MS).unref();
  }

  /** Sends a message to a node; `false` if it is gone. */
  async send(to: string, message: NodeMessage): Promise<boolean> {
    const { node, connection, keys, isGone } = this.#options;
    // The receiver knows a repetition by its number.
    const number = ++this.#sent;
    const text = connection.seal(JSON.stringify(message), ['inbox', to, node, number]);
    const put = async (isSure: boolean): Promise<boolean> => {
      const args = [TTL_MS, MAX_WAITING, node, number, text, isSure ? 1 : 0];
      const names = [keys.lease(to), keys.inbox(to)];
      return (await connection.run(SEND, names, args, { again: true })) === 1;
    };
    if (await put(false)) return true;
    // It waits there for a node that comes back.
    return !(await isGone(to)) && put(true);
  }

  /** A node is gone. It may come back, and others may say again what it has said. */
  forget(node: string): void {
    this.#seen.get(node)?.shrink();
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#trimmer);
    this.#reader.close();
  }

  async #read(client: Client): Promise<void> {
    const key = this.#options.keys.inbox(this.#options.node);
    while (!this.#isClosed && client === this.#reader.ready) {
      const watchdog = setTimeout(() => this.#reader.renew(client), BLOCK_MS + GRACE_MS);
      try {
        const reply = (await client.call(
          'XREAD',
          'COUNT',
          COUNT,
          'BLOCK',
          BLOCK_MS,
          'STREAMS',
          key,
          this.#lastId,
        )) as readonly unknown[] | null;
        clearTimeout(watchdog);
        if (this.#isClosed) return;
        this.#take(entriesOf(reply));
        // What is said to these messages at once goes out first; what comes meanwhile waits in the stream.
        await nextTurn();
      } catch (error) {
        clearTimeout(watchdog);
        // A new connection reads on from the last message.
        if (!this.#isClosed) this.#reader.renew(client);
        if (client.status === 'ready') this.#options.failed(error);
        return;
      }
    }
  }

  #take(entries: Entries): void {
    const { received, failed } = this.#options;
    for (const [id, [, from = '', , number = '', , text = '']] of entries) {
      this.#lastId = id;
      const message = this.#messageOf(from, { number: Number(number), text });
      try {
        if (message !== undefined) received(message, from);
      } catch (error) {
        failed(error);
      }
    }
  }

  /** Opened first: what others have made up must not count as the message of this number. */
  #messageOf(
    from: string,
    { number, text: stored }: { number: number; text: string },
  ): NodeMessage | undefined {
    const { node, connection } = this.#options;
    const place = ['inbox', node, from, number] as const;
    const message = readJson(connection, { stored, place, is: isMessage });
    if (message === undefined || !Number.isSafeInteger(number)) return undefined;
    return this.#seenOf(from).add(number) ? message : undefined;
  }

  #seenOf(from: string): SeenNumbers {
    let seen = this.#seen.get(from);
    if (seen !== undefined) return seen;
    this.#seen.set(from, (seen = new SeenNumbers()));
    if (this.#seen.size > MAX_SENDERS) {
      const [oldest = from] = this.#seen.keys();
      this.#seen.delete(oldest);
    }
    return seen;
  }

  #trim(): void {
    if (this.#trimmedTo === this.#lastId) return;
    const { node, connection, keys } = this.#options;
    this.#trimmedTo = this.#lastId;
    connection.run(TRIM, [keys.inbox(node)], [this.#lastId], { again: true }).catch(() => {});
  }
}

/** The messages of a reply of XREAD for one stream: a map, or a list of pairs. */
function entriesOf(reply: readonly unknown[] | null): Entries {
  if (reply === null) return [];
  const [first] = reply;
  return (Array.isArray(first) ? first[1] : reply[1]) as Entries;
}

function isMessage(value: unknown): value is NodeMessage {
  return (
    isObject(value) && typeof value['kind'] === 'string' && typeof value['session'] === 'string'
  );
}
