import { EventEmitter } from 'node:events';
import { Redis } from 'ioredis';
import { parseJson, type Place } from '../../src/payloads.ts';
import type { StoreConnection } from '../../src/stores/store-connection.ts';

/** A connection without what keeps one alive: for stores alone. */
export class BareConnection implements StoreConnection {
  readonly prefix: string;
  isUp = true;
  /** What could not be read. */
  readonly unread: string[] = [];
  readonly redis: Redis;
  readonly #subscriber: Redis;
  readonly #published = new EventEmitter();
  readonly #missed = new EventEmitter();

  readonly #subscribing: Promise<unknown>[] = [];

  constructor(url: string, prefix = 'test:') {
    this.prefix = prefix;
    this.redis = new Redis(url);
    this.#subscriber = new Redis(url);
    this.#published.setMaxListeners(0);
    this.#missed.setMaxListeners(0);
    this.#subscriber.on('message', (channel, payload) => this.#published.emit(channel, payload));
  }

  async run(
    script: string,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    return this.redis.eval(script, keys.length, ...keys, ...args);
  }

  subscribe(channel: string, listener: (payload: string) => void): () => void {
    this.#published.on(channel, listener);
    this.#subscribing.push(this.#subscriber.subscribe(channel));
    return () => void this.#published.off(channel, listener);
  }

  /** Fulfilled when what is published is heard. */
  async subscribed(): Promise<void> {
    await Promise.all(this.#subscribing);
  }

  /** Fulfilled when everything is heard that was published before. */
  async heard(): Promise<void> {
    await this.#subscriber.ping();
  }

  onMissed(listener: () => void): () => void {
    this.#missed.on('missed', listener);
    return () => void this.#missed.off('missed', listener);
  }

  /** As if the subscriber had been away. */
  miss(): void {
    this.#missed.emit('missed');
  }

  /** What is published reaches nobody here, until that is taken back. */
  async deafen(channel: string): Promise<() => Promise<void>> {
    await this.#subscriber.unsubscribe(channel);
    return async () => void (await this.#subscriber.subscribe(channel));
  }

  seal(text: string, place: Place): string {
    return `sealed ${Buffer.from(JSON.stringify([place, text])).toString('base64')}`;
  }

  read(stored: string, place: Place): string | undefined {
    const [, sealed = ''] = /^sealed (.*)$/.exec(stored) ?? [];
    const [sealedAt, text] = (parseJson(Buffer.from(sealed, 'base64').toString()) ?? []) as [
      Place?,
      string?,
    ];
    if (JSON.stringify(sealedAt) === JSON.stringify(place)) return text;
    this.unreadable(place[0], 'it is not sealed here');
    return undefined;
  }

  unreadable(kind: string, reason: string): void {
    this.unread.push(`${kind}: ${reason}`);
  }

  async close(): Promise<void> {
    await Promise.all([this.redis.quit(), this.#subscriber.quit()]);
  }
}
