import type { EndedRequest, Located, TakenSession } from '@longwire/server';
import { setTimeout as sleep } from 'node:timers/promises';
import { tagOf } from '../keys.js';
import type { RedisConnection } from '../connections/redis-connection.js';
import type { Peers } from '../node/peers.js';
import { OTHER_FORM } from '../payloads.js';
import { LogIndex } from './log-index.js';
import type { OwnedSession } from './owned-session.js';
import type { OwnedSessions } from './owned-sessions.js';
import type { RedisEventLog } from './redis-event-log.js';
import { LOOK, RELEASE, TAKE } from './session-scripts.js';
import { answeredBy, readBegun, readHead, readRecord, type MessageHead } from './stored-forms.js';

/** How often a session is looked at while its owner may come back. */
const PATIENT_LOOK_MS = 100;

/** What a locator is made with. */
export interface LocatorOptions {
  readonly sessions: OwnedSessions;
  readonly events: RedisEventLog;
  readonly peers: Peers;
}

/** Finds sessions, and takes those that nobody has. */
export class Locator {
  readonly #options: LocatorOptions;
  readonly #locating = new Map<string, Promise<Located>>();

  constructor(options: LocatorOptions) {
    this.#options = options;
  }

  /** @throws ClusterAwayError */
  async locate(sessionId: string): Promise<Located> {
    if (this.#options.sessions.isSurelyHere(sessionId)) return { at: 'here' };
    const known = this.#locating.get(sessionId);
    if (known !== undefined) {
      const located = await known;
      // Only one of those that ask has taken it.
      return located.at === 'taken' ? { at: 'here' } : located;
    }
    const locating = this.#locate(sessionId).finally(() => this.#locating.delete(sessionId));
    this.#locating.set(sessionId, locating);
    return locating;
  }

  async #locate(sessionId: string): Promise<Located> {
    const { sessions, peers } = this.#options;
    const { connection, keys, node } = sessions.options;
    const key = keys.session(tagOf(sessionId));
    for (;;) {
      const { generation } = sessions.options.lease;
      const own = sessions.get(sessionId);
      const looked = await connection.run(LOOK, [key], [], { again: true });
      const [owner, fields] = looked as [string?, string[]?];
      if (sessions.get(sessionId) !== own) continue;
      if (own !== undefined) {
        if (owner === own.owner) {
          own.seenIn = Math.max(own.seenIn, generation);
          return { at: 'here' };
        }
        if (await sessions.recover(own)) return { at: 'here' };
        continue;
      }
      if (owner === undefined || fields === undefined) {
        // Redis may have lost it a moment ago, and its owner will say so.
        if (!(await this.#isPatient())) return { at: 'nowhere' };
        continue;
      }
      const record = readRecord(sessionId, fields, connection);
      const [holder = '', fence = ''] = owner.split(' ');
      // Left as it is: it is not for this node to say that nobody can read it.
      if (record === undefined || !/^\d{1,15}$/.test(fence)) return { at: 'nowhere' };
      if (holder !== '' && holder !== node) {
        if (await peers.hasLease(holder)) return { at: 'elsewhere', node: holder, record };
        if (await this.#isPatient()) continue;
      }
      const taken = await this.#take(sessionId, { owner, fence: Number(fence) + 1 });
      if (taken === 'unreadable') return { at: 'nowhere' };
      if (taken !== undefined) return { at: 'taken', taken };
    }
  }

  /** Waits a moment while nobody is to be taken for dead. */
  async #isPatient(): Promise<boolean> {
    const { patienceMs } = this.#options.peers;
    if (patienceMs === 0) return false;
    await sleep(Math.min(patienceMs, PATIENT_LOOK_MS));
    return true;
  }

  async #take(
    sessionId: string,
    { owner, fence }: { owner: string; fence: number },
  ): Promise<TakenSession | 'unreadable' | undefined> {
    const { sessions, events } = this.#options;
    const { connection, keys, node, lease, counts, ttlMs } = sessions.options;
    // Nobody would believe an owner without a lease.
    if (!lease.stands) await lease.renew();
    const epoch = await sessions.options.epoch.current();
    const tag = tagOf(sessionId);
    // Of before: while the reply is on its way the lease may end, and somebody else take it.
    const { generation } = lease;
    const reply = await connection.run(
      TAKE,
      [keys.session(tag), keys.log(tag)],
      [owner, `${node} ${fence}`, ttlMs],
      { again: true },
    );
    const [fields, last, begun, log, dropped] = reply as [
      string[]?,
      string?,
      string[]?,
      (string | number)[]?,
      (string | null)?,
    ];
    if (fields === undefined) return undefined;
    const record = readRecord(sessionId, fields, connection);
    const seq = Number(last ?? 0);
    if (record === undefined || !Number.isSafeInteger(seq)) {
      connection.unreadable('record', OTHER_FORM);
      await connection.run(RELEASE, [keys.session(tag)], [`${node} ${fence}`, ''], { again: true });
      return 'unreadable';
    }
    const owned = sessions.own(record, { fence, epoch, generation });
    const heads = headsOf(log ?? []);
    if (heads.length * 3 < (log ?? []).length) connection.unreadable('event', OTHER_FORM);
    owned.keptSeq = seq;
    if (seq > 0) events.adopt(owned, LogIndex.from(heads, dropped ?? undefined, seq));
    const answered = answeredBy(heads);
    const running = this.#running(owned, { begun: begun ?? [], answered });
    void counts.add(record.principal, 1).catch(() => {});
    // A session that is used for as long as that would outlive the key that its record was sealed with.
    if (!isCurrent(fields, connection)) sessions.rewrite(owned, fields);
    return { record, fence, seq, running, answered };
  }

  /**
   * What runs; what has ended without a trace in the log goes to `answered`. A request may be said to have begun
   * once more after it was answered: by a connection that was given up, and whose last words came late.
   */
  #running(
    owned: OwnedSession,
    { begun, answered }: { begun: readonly string[]; answered: EndedRequest[] },
  ): TakenSession['running'] {
    const { connection } = this.#options.sessions.options;
    const digests = new Map(answered.map(({ id, digest }) => [id, digest]));
    const running = [];
    for (let at = 0; at < begun.length; at += 2) {
      const stored = { id: begun[at] ?? '', text: begun[at + 1] ?? '' };
      const known = readBegun(owned.id, stored, connection);
      if (known === undefined) continue;
      const { request, answeredAt } = known;
      if (answeredAt !== undefined) {
        const { id, digest, stream } = request;
        answered.push({ id, digest, stream, answeredAt });
        continue;
      }
      if (digests.get(request.id) === request.digest) continue;
      owned.noteBegun(request);
      running.push(request);
    }
    return running;
  }
}

function isCurrent(fields: readonly string[], connection: RedisConnection): boolean {
  return fields.every((value, at) => {
    return at % 2 === 0 || fields[at - 1] === 't' || connection.isCurrent(value);
  });
}

function headsOf(log: readonly (string | number)[]): MessageHead[] {
  const heads: MessageHead[] = [];
  for (let at = 0; at < log.length; at += 3) {
    const head = readHead(Number(log[at]), String(log[at + 1]), Number(log[at + 2]));
    if (head !== undefined) heads.push(head);
  }
  return heads.toSorted((a, b) => a.seq - b.seq);
}
