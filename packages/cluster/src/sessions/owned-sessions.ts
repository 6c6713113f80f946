import {
  ClusterAwayError,
  SessionLostError,
  type BegunRequest,
  type SessionRecord,
} from '@longwire/server';
import type { RedisConnection, RunOptions, ScriptArgs } from '../connections/redis-connection.js';
import type { Keys } from '../keys.js';
import type { Epoch } from '../node/epoch.js';
import type { Lease } from '../node/lease.js';
import { OwnedSession } from './owned-session.js';
import type { SessionCounts } from './session-counts.js';
import {
  BEGIN,
  END,
  LOST,
  OWNER,
  RELEASE,
  RESTORE,
  TOO_EARLY,
  UNKNOWN,
  UPDATE,
} from './session-scripts.js';
import { begunField, begunText, changeFields, recordFields } from './stored-forms.js';

/** What ends, or was answered, waits so long for a Redis that is away. */
export const END_WAIT_MS = 30_000;
/** How many sessions are looked at together after a lease has ended. */
const VERIFIED_AT_ONCE = 500;

/** What the sessions of a node are kept with. */
export interface OwnedOptions {
  readonly node: string;
  readonly connection: RedisConnection;
  readonly keys: Keys;
  readonly lease: Lease;
  readonly counts: SessionCounts;
  /** How long what is kept of an idle session lives in Redis. */
  readonly ttlMs: number;
  /** Which Redis this is: another one may know less. */
  readonly epoch: Epoch;
  /** Another node has this session. */
  readonly lost: (sessionId: string) => void;
}

/** The sessions that this node owns. Every write carries the owner and its fencing number. */
export class OwnedSessions {
  readonly options: OwnedOptions;
  /** Told of each session that is not this node's any more. */
  onDisowned: ((owned: OwnedSession) => void) | undefined;
  readonly #owned = new Map<string, OwnedSession>();
  /** Requests whose answers are on their way to Redis. */
  readonly #answered = new WeakSet<BegunRequest>();

  constructor(options: OwnedOptions) {
    this.options = options;
  }

  get(sessionId: string): OwnedSession | undefined {
    return this.#owned.get(sessionId);
  }

  all(): Iterable<OwnedSession> {
    return this.#owned.values();
  }

  /** A session is this node's, as it was found to be in a generation of the lease. */
  own(
    record: SessionRecord,
    given: { fence: number; epoch: string; generation: number },
  ): OwnedSession {
    const owned = new OwnedSession(record, { node: this.options.node, ...given });
    this.#owned.set(record.id, owned);
    return owned;
  }

  /** It is not this node's any more: it ended, was let go, or was lost. */
  disown(owned: OwnedSession): boolean {
    if (this.#owned.get(owned.id) !== owned) return false;
    this.#owned.delete(owned.id);
    this.onDisowned?.(owned);
    return true;
  }

  /** Whether nobody else can have taken it. */
  isSurelyHere(sessionId: string): boolean {
    const { lease } = this.options;
    const owned = this.#owned.get(sessionId);
    return owned !== undefined && owned.seenIn === lease.generation && lease.stands;
  }

  /**
   * Runs a script that only the owner may run; 0 where it was not needed any more.
   *
   * @throws SessionLostError, ClusterAwayError
   */
  async fenced(
    owned: OwnedSession,
    script: string,
    args: ScriptArgs,
    options?: RunOptions,
  ): Promise<number> {
    const { connection, keys, lease } = this.options;
    const { owner } = owned;
    const given: ScriptArgs =
      typeof args === 'function'
        ? () => {
            const made = args();
            return made && [owner, ...made];
          }
        : [owner, ...args];
    for (;;) {
      const { generation } = lease;
      const reply = (await connection.run(
        script,
        [keys.session(owned.tag), keys.log(owned.tag)],
        given,
        { again: true, ...options },
      )) as number | undefined;
      if (reply === undefined) return 0;
      if (reply === TOO_EARLY) {
        // Unless this is another Redis, which does not have the one before.
        if ((await this.options.epoch.latest()) === owned.epoch) throw tooEarly();
      } else if (reply !== LOST && reply !== UNKNOWN) {
        owned.seenIn = Math.max(owned.seenIn, generation);
        return reply;
      }
      if (!(await this.recover(owned))) throw new SessionLostError();
    }
  }

  /**
   * Redis does not know a session as this node does. If it has lost data since, it is told again; else another
   * node has it.
   */
  recover(owned: OwnedSession): Promise<boolean> {
    return (owned.recovering ??= this.#recover(owned).finally(() => {
      owned.recovering = undefined;
    }));
  }

  /** Looks whether all of them are this node's still. */
  async verify(): Promise<void> {
    const all = [...this.#owned.values()];
    for (let at = 0; at < all.length; at += VERIFIED_AT_ONCE) {
      await Promise.all(all.slice(at, at + VERIFIED_AT_ONCE).map((owned) => this.#look(owned)));
    }
  }

  async begin(sessionId: string, request: BegunRequest, isAwaited = true): Promise<void> {
    const owned = this.#owned.get(sessionId);
    if (owned === undefined) throw new SessionLostError();
    owned.noteBegun(request);
    // It may be answered before it goes out.
    const args: ScriptArgs = () => {
      if (this.#answered.has(request)) return undefined;
      return [begunField(request.id), begunText(sessionId, request, this.options.connection)];
    };
    try {
      await this.fenced(owned, BEGIN, args, { soon: !isAwaited });
    } catch (error) {
      // Its caller is told that it did not run: what is kept all the same must not say that it does. One that
      // was not waited for runs, and its answer is to say whose it is.
      if (isAwaited) this.end(sessionId, request.id);
      throw error;
    }
  }

  /** Its answer goes to Redis next, and says all that is to be known of it. */
  noteAnswered(request: BegunRequest): void {
    this.#answered.add(request);
  }

  end(sessionId: string, id: BegunRequest['id']): void {
    const owned = this.#owned.get(sessionId);
    if (owned === undefined) return;
    owned.noteEnded(JSON.stringify(id));
    this.fenced(owned, END, [begunField(id)], { waitMs: END_WAIT_MS }).catch(() => {});
  }

  /** Writes the record once more: these fields of it, sealed as it would be done now. */
  rewrite(owned: OwnedSession, fields: readonly string[]): void {
    const { connection, ttlMs } = this.options;
    const { id, record } = owned;
    const changes: Record<string, unknown> = {};
    for (let at = 0; at < fields.length; at += 2) {
      const [, name] = /^c:(.*)$/s.exec(fields[at] ?? '') ?? [];
      if (name !== undefined) changes[name] = record[name as keyof SessionRecord];
    }
    const rewritten = [
      ...recordFields(record, connection),
      ...changeFields(id, changes, connection),
    ];
    // If it fails, the next owner does it.
    this.fenced(owned, UPDATE, [ttlMs, ...rewritten]).catch(() => {});
  }

  async release(sessionId: string, to = ''): Promise<void> {
    const owned = this.#owned.get(sessionId);
    if (owned === undefined || !this.disown(owned)) return;
    const { connection, keys, counts } = this.options;
    const args = [owned.owner, to];
    await Promise.all([
      connection.run(RELEASE, [keys.session(owned.tag)], args, {
        again: true,
        waitMs: END_WAIT_MS,
      }),
      counts.add(owned.record.principal, -1),
    ]);
  }

  /** Another node has it. */
  lose(owned: OwnedSession): void {
    if (!this.disown(owned)) return;
    void this.options.counts.add(owned.record.principal, -1).catch(() => {});
    this.options.lost(owned.id);
  }

  async #recover(owned: OwnedSession): Promise<boolean> {
    const epoch = await this.options.epoch.latest();
    if (this.#owned.get(owned.id) !== owned) return false;
    const { generation } = this.options.lease;
    if (epoch !== owned.epoch && (await this.#restore(owned))) {
      owned.epoch = epoch;
      owned.seenIn = Math.max(owned.seenIn, generation);
      return true;
    }
    this.lose(owned);
    return false;
  }

  async #restore(owned: OwnedSession): Promise<boolean> {
    const { connection, keys, ttlMs } = this.options;
    const begun = [...owned.begun].flatMap(([id, request]) => [
      `b:${id}`,
      begunText(owned.id, request, connection),
    ]);
    const fields = [...recordFields(owned.record, connection), ...begun];
    const reply = await connection.run(
      RESTORE,
      [keys.session(owned.tag)],
      [owned.owner, owned.fence, ttlMs, owned.keptSeq, ...fields],
      { again: true },
    );
    owned.resumeWrittenAt = 0;
    return reply === 1;
  }

  async #look(owned: OwnedSession): Promise<void> {
    const { connection, keys, lease, epoch } = this.options;
    const { generation } = lease;
    const [owner, known] = await Promise.all([
      connection.run(OWNER, [keys.session(owned.tag)], [], { again: true }),
      epoch.current(),
    ]);
    if (this.#owned.get(owned.id) !== owned) return;
    if (owner === owned.owner && known === owned.epoch) {
      owned.seenIn = Math.max(owned.seenIn, generation);
    } else {
      await this.recover(owned);
    }
  }
}

/** What is told of a message while one before it is not kept. */
export function tooEarly(): ClusterAwayError {
  return new ClusterAwayError(new Error('a message before this one is not kept yet'));
}
