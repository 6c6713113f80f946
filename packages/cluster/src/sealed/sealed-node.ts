import type { ClusterNode, Located, SealedSession, SessionSealing, Stores } from '@longwire/server';
import { randomBytes } from 'node:crypto';
import { derived } from '../payloads.js';
import type { SessionSeal } from './session-seal.js';

const NAME_BYTES = 9;

/** A node that shares nothing with others but a key. All that it does is here. */
export class SealedNode implements ClusterNode {
  readonly name: string = randomBytes(NAME_BYTES).toString('base64url');
  /** Those of the process. */
  readonly stores: Stores = {};
  readonly requestStateKeys: readonly Uint8Array[];
  readonly isUp: boolean = true;
  readonly sealing: SessionSealing;
  readonly #seal: SessionSeal;

  constructor(seal: SessionSeal, keys: readonly Uint8Array[]) {
    this.#seal = seal;
    this.sealing = { seal: (session: SealedSession) => seal.seal(session) };
    this.requestStateKeys = keys.map((key) => derived(key, 'longwire request states'));
  }

  isSurelyHere(): boolean {
    return true;
  }

  async locate(id: string): Promise<Located> {
    const opened = this.#seal.open(id);
    if (opened === undefined) return { at: 'nowhere' };
    const { principal, createdAt, initialize } = opened;
    const record = {
      id,
      principal,
      transport: 'streamable-http',
      createdAt,
      lastActivityAt: Date.now(),
      initialize,
      // Who has the id of a session has the answer to `initialize`.
      isInitialized: true,
      subscriptions: [],
    } as const;
    const taken = { record: { ...record, subscriptions: [] }, fence: 1, seq: 0 };
    return { at: 'taken', taken: { ...taken, running: [], answered: [] } };
  }

  async release(): Promise<void> {}

  async begin(): Promise<void> {}

  end(): void {}

  readAt(): void {}

  wasPublished(): boolean {
    return false;
  }

  async send(): Promise<boolean> {
    return false;
  }

  async isAlive(node: string): Promise<boolean> {
    return node === this.name;
  }

  async leave(): Promise<void> {}
}
