import { SessionLostError, type SessionRecord, type SessionStore } from '@longwire/server';
import type { OwnedSession } from './owned-session.js';
import { END_WAIT_MS, type OwnedSessions } from './owned-sessions.js';
import { CREATE, DELETE, LOOK, UPDATE } from './session-scripts.js';
import { changeFields, readRecord, recordFields } from './stored-forms.js';
import { tagOf } from '../keys.js';

/** KEYS: resume key. ARGV: tag of the session, TTL, its id. A later session takes the key over. */
const SET_RESUME = `return redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[3], 'PX', ARGV[2])`;
/** The same, if the key is still this session's, or nobody's. */
const KEEP_RESUME = `
local held = redis.call('GET', KEYS[1])
if held and string.match(held, '^%S+') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[3], 'PX', ARGV[2])
return 1`;
const GET_RESUME = `return redis.call('GET', KEYS[1])`;
const DELETE_RESUME = `
local held = redis.call('GET', KEYS[1])
if held and string.match(held, '^%S+') == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`;

/** How often the name by which a session is resumed is written again, at most. */
const KEEP_RESUME_MS = 60_000;

/** Sessions as data. Only the owner of one changes it; what others ask to change is left as it is. */
export class RedisSessionStore implements SessionStore {
  readonly #sessions: OwnedSessions;

  constructor(sessions: OwnedSessions) {
    this.#sessions = sessions;
  }

  async create(record: SessionRecord): Promise<void> {
    const { connection, ttlMs, epoch, counts, lease } = this.#sessions.options;
    if (this.#sessions.get(record.id) !== undefined) throw new Error(EXISTS);
    const owned = this.#sessions.own(record, {
      fence: 1,
      epoch: '',
      generation: lease.generation,
    });
    const counting = counts.add(record.principal, 1);
    // Sent at once: what the session says is sent after it.
    const fields = ['q', '0', ...recordFields(record, connection)];
    const { keys } = this.#sessions.options;
    const creating = connection.run(
      CREATE,
      [keys.session(owned.tag)],
      [owned.owner, ttlMs, ...fields],
      { again: true },
    );
    const [created, counted, named, known] = await Promise.allSettled([
      creating,
      counting,
      this.#writeResume(owned, SET_RESUME),
      epoch.current(),
    ]);
    const failed = [created, counted, named, known].find(({ status }) => status === 'rejected');
    if (failed === undefined && created.status === 'fulfilled' && created.value === 1) {
      if (known.status === 'fulfilled') owned.epoch = known.value;
      return;
    }
    if (this.#sessions.disown(owned)) void counts.add(record.principal, -1).catch(() => {});
    if (failed?.status === 'rejected') {
      // What comes late must not stay.
      void this.#erase(owned).catch(() => {});
      throw failed.reason;
    }
    throw new Error(EXISTS);
  }

  async get(id: string): Promise<SessionRecord | undefined> {
    const owned = this.#sessions.get(id);
    if (owned !== undefined) return owned.record;
    const { connection, keys } = this.#sessions.options;
    const looked = await connection.run(LOOK, [keys.session(tagOf(id))], [], { again: true });
    const [, fields] = looked as [string?, string[]?];
    return fields === undefined ? undefined : readRecord(id, fields, connection);
  }

  async findByResume(principal: string, resume: string): Promise<SessionRecord | undefined> {
    const { connection, keys } = this.#sessions.options;
    const key = keys.resume(principal, resume);
    const held = (await connection.run(GET_RESUME, [key], [], { again: true })) as string | null;
    if (held === null) return undefined;
    const place = ['resume', principal, resume] as const;
    const id = connection.read(held.slice(held.indexOf(' ') + 1), place);
    const record = id === undefined ? undefined : await this.get(id);
    return record?.principal === principal && record.resume === resume ? record : undefined;
  }

  async update(id: string, changes: Partial<SessionRecord>): Promise<void> {
    const owned = this.#sessions.get(id);
    if (owned === undefined) return;
    Object.assign(owned.record, changes);
    const { connection, ttlMs } = this.#sessions.options;
    const unsaved = { ...owned.unsaved, ...changes };
    owned.unsaved = undefined;
    const fields = changeFields(id, unsaved, connection);
    if (fields.length === 0) return;
    try {
      await Promise.all([
        this.#sessions.fenced(owned, UPDATE, [ttlMs, ...fields]),
        this.#keepResume(owned),
      ]);
    } catch (error) {
      // Whoever has it now is told by its client.
      if (error instanceof SessionLostError) return;
      // The next change brings it.
      owned.unsaved = Object.assign({}, unsaved, owned.unsaved);
      throw error;
    }
  }

  async delete(id: string): Promise<void> {
    const owned = this.#sessions.get(id);
    if (owned === undefined || !this.#sessions.disown(owned)) return;
    const { counts } = this.#sessions.options;
    await Promise.all([this.#erase(owned), counts.add(owned.record.principal, -1)]);
  }

  count(principal?: string): Promise<number> {
    return this.#sessions.options.counts.count(principal);
  }

  async #erase(owned: OwnedSession): Promise<void> {
    const { connection, keys } = this.#sessions.options;
    const { principal, resume } = owned.record;
    const options = { again: true, waitMs: END_WAIT_MS };
    const both = [keys.session(owned.tag), keys.log(owned.tag)];
    await Promise.all([
      connection.run(DELETE, both, [owned.owner], options),
      resume !== undefined &&
        connection.run(DELETE_RESUME, [keys.resume(principal, resume)], [owned.tag], options),
    ]);
  }

  async #keepResume(owned: OwnedSession): Promise<void> {
    if (performance.now() - owned.resumeWrittenAt < KEEP_RESUME_MS) return;
    await this.#writeResume(owned, KEEP_RESUME);
  }

  async #writeResume(owned: OwnedSession, script: string): Promise<void> {
    const { connection, keys, ttlMs } = this.#sessions.options;
    const { principal, resume, id } = owned.record;
    owned.resumeWrittenAt = performance.now();
    if (resume === undefined) return;
    const held = connection.seal(id, ['resume', principal, resume]);
    const args = [owned.tag, Math.max(ttlMs, 2 * KEEP_RESUME_MS), held];
    await connection.run(script, [keys.resume(principal, resume)], args, { again: true });
  }
}

const EXISTS = 'there is a session of this id';
