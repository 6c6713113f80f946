import { ClusterAwayError } from '@longwire/server';
import { Cluster, type Redis } from 'ioredis';
import { createHash } from 'node:crypto';
import { Payloads, type Place, type Seals } from '../payloads.js';
import { settle, type Command, type RunOptions, type ScriptArgs } from './command.js';
import { KeptClient } from './kept-client.js';
import { openClient, openPatientClient, type Address, type Client } from './open-client.js';
import { ReplicaWait, runReplicated, type Evaluation } from './replica-wait.js';
import { AWAY, DEMOTED, withoutCommand } from './refusals.js';
import { watchShards } from './shard-watch.js';
import { openListener, Subscriber } from './subscriber.js';

export type { RunOptions, ScriptArgs } from './command.js';

/**
 * What a script begins with that also runs when Redis is full: it frees memory, or without it what stands would
 * break.
 */
export const EVEN_IF_FULL = '#!lua flags=allow-oom\n';

/** A server that loads its data, or elects a primary, is asked again after this time. */
const RETRY_MS = 100;
/** How long a command waits for another one, to be one write with it. */
const SOON_MS = 1;
/** What cannot be read is told so often. */
const SILENT_MS = 60_000;
/** What ioredis says of a command that it did not send. */
const NOT_WRITTEN = 'enableOfflineQueue';

/**
 * What all of this process share: a connection for commands, one that listens. Every command is a Lua
 * script. Commands are sent in the order in which they are given; while Redis is away they wait.
 */
export class RedisConnection implements Seals {
  /** What every key begins with; it tells the mounts of one application apart. */
  readonly prefix: string;
  readonly #address: Address;
  readonly #payloads: Payloads;
  readonly #commands: KeptClient;
  readonly #subscriber: Subscriber;
  readonly #shas = new Map<string, string>();
  readonly #onReady = new Set<() => void>();
  readonly #onLost = new Set<() => void>();
  readonly #onUnreadable = new Set<(kind: string, reason: string) => void>();
  /** By kind: until when nobody is told again that one cannot be read. */
  readonly #silentUntil = new Map<string, number>();
  #waiting: Command[] = [];
  /** What goes out with the next command. */
  #soon: Command[] = [];
  #soonTimer: NodeJS.Timeout | undefined;
  #count = 0;
  #shardLosses = 0;
  /** Whether something was sent and not answered in time, and nothing was answered since. */
  #isSilent = false;
  #isCorked = false;
  #replicaWait: ReplicaWait | undefined;
  #error: Error | undefined;
  #isClosed = false;

  constructor(address: Address, prefix: string) {
    this.prefix = prefix;
    this.#address = address;
    this.#payloads = new Payloads(address.options.encryptionKeys, prefix);
    const lost = (): void => {
      for (const listener of this.#onLost) listener();
    };
    const back = (): void => {
      this.#shardLosses++;
      for (const ready of this.#onReady) ready();
    };
    const open = (): Client => {
      const client = openClient(address);
      if (client instanceof Cluster) watchShards(client, { lost, back });
      return client;
    };
    this.#commands = new KeptClient(open, {
      ready: (client) => this.#resume(client),
      lost,
      failed: (error) => (this.#error = withoutCommand(error)),
    });
    this.#subscriber = new Subscriber(
      () => openListener(this.#commands.ready, () => openClient(address)),
      (error) => this.unreadable('channel', error.message),
    );
  }

  /** Whether it is a Redis Cluster. */
  get isSharded(): boolean {
    return this.#address.isCluster;
  }

  /** How often a primary of a Redis Cluster was lost: what was written there last may be lost, too. */
  get shardLosses(): number {
    return this.#shardLosses;
  }

  /** Whether Redis answers. */
  get isUp(): boolean {
    return this.#commands.ready !== undefined && !this.#isSilent;
  }

  /** The last error of the connection. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** The client, while it is ready. */
  get client(): Client | undefined {
    return this.#commands.ready;
  }

  /**
   * Runs a script.
   *
   * @throws ClusterAwayError if Redis does not answer in time; what Redis says of the script.
   */
  run(
    script: string,
    keys: readonly string[],
    args: ScriptArgs,
    {
      waitMs = this.#address.options.waitMs,
      again = false,
      soon = false,
      isReplicated = false,
    }: RunOptions = {},
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(new ClusterAwayError(new Error('the node has left')));
      const command: Command = {
        place: this.#count++,
        script,
        keys,
        args,
        again,
        isReplicated: isReplicated && this.#address.options.replicas > 0,
        resolve,
        reject,
        timer: undefined,
        isSettled: false,
        isDone: false,
        refusal: undefined,
      };
      command.timer = setTimeout(() => {
        const before = this.#waiting.length;
        this.#waiting = this.#waiting.filter((one) => one !== command);
        if (this.#waiting.length === before && !command.isDone) this.#isSilent = true;
        this.#fail(command, new ClusterAwayError(this.#whyAway(command, waitMs)));
      }, waitMs);
      const client = this.#commands.ready;
      if (client === undefined) {
        this.#waiting.push(command);
      } else if (soon) {
        this.#soon.push(command);
        this.#soonTimer ??= setTimeout(() => this.#sendSoon(), SOON_MS);
      } else {
        this.#sendSoon(client);
        this.#send(client, command);
      }
    });
  }

  /** Listens to a channel, over every connection; what is returned ends that. */
  subscribe(channel: string, listener: (payload: string) => void): () => void {
    return this.#subscriber.subscribe(channel, listener);
  }

  /** Fulfilled when it is listened to what was subscribed. */
  subscribed(): Promise<void> {
    return this.#subscriber.settled(this.#address.options.waitMs);
  }

  /** Told when something that was published may have been missed. */
  onMissed(listener: () => void): () => void {
    return this.#subscriber.onMissed(listener);
  }

  /** Told when commands can be sent, for the first time or again. */
  onReady(listener: () => void): () => void {
    this.#onReady.add(listener);
    return () => this.#onReady.delete(listener);
  }

  /** Told when the connection is lost. */
  onLost(listener: () => void): () => void {
    this.#onLost.add(listener);
    return () => this.#onLost.delete(listener);
  }

  /** A connection of its own, which ends when it is lost. */
  connect(): Client {
    return openClient(this.#address);
  }

  /** A connection of its own, which reconnects; its caller closes it. */
  duplicate(): Client {
    return openPatientClient(this.#address);
  }

  /** Names of the keys that open payloads, the one that seals them first. */
  get keyIds(): readonly string[] {
    return this.#payloads.ids;
  }

  seal(text: string, place: Place): string {
    return this.#payloads.seal(text, place);
  }

  read(stored: string, place: Place): string | undefined {
    try {
      return this.#payloads.open(stored, place);
    } catch (error) {
      this.unreadable(place[0], (error as Error).message);
      return undefined;
    }
  }

  /** @throws Error that says why it cannot be opened. */
  open(stored: string, place: Place): string {
    return this.#payloads.open(stored, place);
  }

  unreadable(kind: string, reason: string): void {
    const now = performance.now();
    if (now < (this.#silentUntil.get(kind) ?? 0)) return;
    this.#silentUntil.set(kind, now + SILENT_MS);
    for (const listener of this.#onUnreadable) listener(kind, reason);
  }

  /** Told what cannot be read, and why: of each kind once a minute. */
  onUnreadable(listener: (kind: string, reason: string) => void): () => void {
    this.#onUnreadable.add(listener);
    return () => this.#onUnreadable.delete(listener);
  }

  /** Whether it was sealed with the key that seals now. */
  isCurrent(sealed: string): boolean {
    return this.#payloads.isCurrent(sealed);
  }

  close(): void {
    this.#isClosed = true;
    this.#sendSoon();
    this.#commands.close();
    this.#subscriber.close();
    const error = new ClusterAwayError(new Error('the node has left'));
    for (const command of this.#waiting.splice(0)) this.#fail(command, error);
  }

  #resume(client: Client): void {
    this.#error = undefined;
    if (!(client instanceof Cluster)) {
      for (const script of this.#shas.keys()) load(client, script);
    }
    for (const ready of this.#onReady) ready();
    this.#sendWaiting();
  }

  #sendSoon(client: Client | undefined = this.#commands.ready): void {
    clearTimeout(this.#soonTimer);
    this.#soonTimer = undefined;
    if (this.#soon.length === 0) return;
    const soon = this.#soon;
    this.#soon = [];
    if (client === undefined) this.#waiting.push(...soon);
    else for (const command of soon) this.#send(client, command);
  }

  #send(client: Client, command: Command): void {
    const { script } = command;
    const args = typeof command.args === 'function' ? command.args() : command.args;
    if (args === undefined) return settle(command, undefined);
    command.isDone = false;
    let sha = this.#shas.get(script);
    if (sha === undefined) {
      sha = createHash('sha1').update(script).digest('hex');
      this.#shas.set(script, sha);
      // Sent first, so that nothing overtakes what would have to be sent again with the whole script.
      if (!(client instanceof Cluster)) load(client, script);
    }
    const answered = (reply: unknown): void => {
      this.#isSilent = false;
      settle(command, reply);
    };
    this.#evaluate(client, command, ['evalsha', sha, args]).then(answered, (error: unknown) => {
      if (error instanceof Error && error.message.startsWith('NOSCRIPT')) {
        this.#evaluate(client, command, ['eval', script, args]).then(answered, (failed: unknown) =>
          this.#retry(client, command, failed),
        );
      } else {
        this.#retry(client, command, error);
      }
    });
  }

  #evaluate(client: Client, command: Command, how: Evaluation): Promise<unknown> {
    const { keys, isReplicated } = command;
    const { replicas } = this.#address.options;
    if (isReplicated && client instanceof Cluster) {
      return runReplicated(client, how, command, replicas);
    }
    // Asked for first, so that it is one write with the script.
    const caughtUp = isReplicated && this.#replicaWaitOf(client as Redis).caughtUp(command);
    this.#cork(client);
    const [name, script, args] = how;
    const running = client[name](script, keys.length, ...keys, ...args);
    if (caughtUp === false) return running;
    caughtUp.catch(() => {});
    return running.then(async (reply) => {
      this.#isSilent = false;
      command.isDone = true;
      await caughtUp;
      return reply;
    });
  }

  #replicaWaitOf(client: Redis): ReplicaWait {
    if (this.#replicaWait?.client === client) return this.#replicaWait;
    return (this.#replicaWait = new ReplicaWait(client, this.#address.options.replicas));
  }

  #whyAway({ isDone, refusal }: Command, waitMs: number): unknown {
    if (!isDone)
      return refusal ?? this.#error ?? new Error(`no answer of Redis within ${waitMs} ms`);
    const { replicas } = this.#address.options;
    return new Error(
      `Redis has it, and fewer than ${replicas} of its replicas do after ${waitMs} ms (the option replicas)`,
    );
  }

  /** What is sent in one turn of the event loop is one write: whatever it read before that. */
  #cork(client: Client): void {
    if (this.#isCorked || client instanceof Cluster) return;
    const { stream } = client;
    this.#isCorked = true;
    stream.cork();
    setImmediate(() => {
      this.#isCorked = false;
      stream.uncork();
    });
  }

  #retry(client: Client, command: Command, failure: unknown): void {
    if (command.isSettled) return;
    const error = withoutCommand(failure);
    const text = error instanceof Error ? error.message : '';
    const isReply = error instanceof Error && error.name === 'ReplyError';
    if (isReply && !AWAY.test(text)) return this.#fail(command, error);
    // What was a primary is a replica now: the next connection finds the new one.
    if (DEMOTED.test(text)) this.#commands.renew(client);
    const mayRunAgain = command.again || isReply || text.includes(NOT_WRITTEN);
    if (!mayRunAgain || this.#isClosed) {
      return this.#fail(command, new ClusterAwayError(error));
    }
    if (isReply) command.refusal = error;
    this.#waiting.push(command);
    // Not at once: what refuses it may go on to do so. A new connection sends it as soon as it is ready.
    setTimeout(() => this.#sendWaiting(), RETRY_MS).unref();
  }

  #sendWaiting(): void {
    const client = this.#commands.ready;
    if (client === undefined || this.#waiting.length === 0) return;
    const waiting = [...this.#waiting, ...this.#soon].toSorted((a, b) => a.place - b.place);
    this.#waiting = [];
    this.#soon = [];
    for (const command of waiting) this.#send(client, command);
  }

  #fail(command: Command, error: unknown): void {
    if (command.isSettled) return;
    command.isSettled = true;
    clearTimeout(command.timer);
    command.reject(error);
  }
}

function load(client: Client, script: string): void {
  client.call('SCRIPT', 'LOAD', script).catch(() => {});
}
