import {
  MemoryEventLog,
  MemorySessionStore,
  type ClusterNode,
  type Joining,
  type Located,
  type SealedSession,
  type SessionRecord,
  type SessionSealing,
} from '@longwire/server';
import { randomBytes } from 'node:crypto';
import { derived } from '../payloads.js';
import type { SessionSeal } from './session-seal.js';

const NAME_BYTES = 9;

/** A node that shares nothing with others but a key. All that it does is here. */
export class SealedNode implements ClusterNode {
  readonly name: string = randomBytes(NAME_BYTES).toString('base64url');
  readonly stores: ClusterNode['stores'];
  readonly requestStateKeys: readonly Uint8Array[];
  readonly isUp: boolean = true;
  readonly sealing: SessionSealing;
  readonly #seal: SessionSeal;
  /** Those that this process has a server for. */
  readonly #sessions = new MemorySessionStore();

  constructor(
    seal: SessionSeal,
    { keys, eventLog }: { keys: readonly Uint8Array[]; eventLog: Joining['eventLog'] },
  ) {
    this.#seal = seal;
    this.sealing = { seal: (session: SealedSession) => seal.seal(session) };
    // What is said is never read again, and goes with its session.
    this.stores = { sessions: this.#sessions, events: new MemoryEventLog(eventLog, () => {}) };
    this.requestStateKeys = keys.map((key) => derived(key, 'longwire request states'));
  }

  isSurelyHere(): boolean {
    return true;
  }

  async locate(id: string): Promise<Located> {
    if (this.#sessions.get(id) !== undefined) return { at: 'here' };
    const opened = this.#seal.open(id);
    if (opened === undefined) return { at: 'nowhere' };
    const { principal, createdAt, initialize } = opened;
    const record: SessionRecord = {
      id,
      principal,
      transport: 'streamable-http',
      createdAt,
      lastActivityAt: Date.now(),
      initialize,
      // Who has the id of a session has the answer to `initialize`.
      isInitialized: true,
      subscriptions: [],
      isSealed: true,
    };
    // Who asks meanwhile is told that it is here.
    this.#sessions.create(record);
    return { at: 'taken', taken: { record, fence: 1, seq: 0, running: [], answered: [] } };
  }

  async release(id: string): Promise<void> {
    this.#sessions.delete(id);
  }

  async begin(): Promise<void> {}

  end(): void {}

  readAt(): void {}

  wasPublished(): boolean {
    return false;
  }

  async send(): Promise<boolean> {
    return false;
  }

  async nodes(): Promise<readonly string[]> {
    return [];
  }

  async isAlive(node: string): Promise<boolean> {
    return node === this.name;
  }

  async leave(): Promise<void> {}
}
