import { EVEN_IF_FULL, type RedisConnection } from '../connections/redis-connection.js';
import type { Keys } from '../keys.js';
import { FORMS, type KnownForms } from './stored-form.js';

/**
 * KEYS: members. ARGV: name; newest and oldest form that it knows; the form that was in use when it was last told;
 * the ids of its keys, the one that seals first; whether it joins; how long a member is known that says nothing;
 * within which time it must have said something to count for keys; TTL.
 *
 * A form is raised once nobody is known who cannot read it. Where the hash is new, others may not have said yet that
 * they are there.
 */
const SIGN = `${EVEN_IF_FULL}
local name, newest, oldest, known = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local form = tonumber(redis.call('HGET', KEYS[1], ':form') or '')
local since = tonumber(redis.call('HGET', KEYS[1], ':since') or '')
if not form or not since then
  form, since = known > 0 and known or newest, now
  redis.call('HSET', KEYS[1], ':form', form, ':since', since)
  redis.call('PEXPIRE', KEYS[1], ARGV[9])
end
if form > newest or form < oldest then return {'form', form} end
local function has(list, id) return string.find(' ' .. list .. ' ', ' ' .. id .. ' ', 1, true) end
local seals = string.match(ARGV[5], '^%S+')
local least = newest
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local at, reads, ids = string.match(fields[i + 1], '^(%d+) (%d+) (.+)$')
  if at and fields[i] ~= name then
    local silent = now - tonumber(at)
    if silent > tonumber(ARGV[7]) then redis.call('HDEL', KEYS[1], fields[i]) else
      least = math.min(least, tonumber(reads))
      if ARGV[6] == '1' and silent <= tonumber(ARGV[8]) then
        if not has(ids, seals) then return {'unknown-there', fields[i]} end
        if not has(ARGV[5], string.match(ids, '^%S+')) then return {'unknown-here', fields[i]} end
      end
    end
  end
end
if form < least and now - since > tonumber(ARGV[7]) then
  form = least
  redis.call('HSET', KEYS[1], ':form', form)
end
redis.call('HSET', KEYS[1], name, string.format('%.0f', now) .. ' ' .. newest .. ' ' .. ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[9])
return {'known', form}`;
const NAMES = `return redis.call('HKEYS', KEYS[1])`;
const LEAVE = `
redis.call('HDEL', KEYS[1], ARGV[2])
return redis.call('PUBLISH', ARGV[1], ARGV[2])`;

const SIGN_MS = 10_000;
const FORGET_MS = 60_000;
/** Twice what a member is silent for. One that was killed does not keep others from joining for longer. */
const COUNTS_MS = 20_000;
const TTL_MS = 30 * 24 * 60 * 60_000;

/** Names of nodes are base64url: no node has such a one. */
const WORKER = 'worker:';
const OWN_FIELD = ':';

/** What is needed to take part. */
export interface MembersOptions {
  readonly name: string;
  readonly connection: RedisConnection;
  readonly keys: Keys;
  /** Default: those of this version. */
  readonly forms?: KnownForms;
  /** What is kept has a form by now that this version does not know: it must leave. */
  readonly outdated: (error: Error) => void;
}

/** The name of a worker among the members. */
export function workerName(name: string): string {
  return WORKER + name;
}

/**
 * All that take part in a cluster: its nodes and their workers, which forms of stored data they read, and which keys
 * they have.
 */
export class Members {
  readonly #options: MembersOptions;
  readonly #forms: KnownForms;
  #form = 0;
  #signing: NodeJS.Timeout | undefined;

  constructor(options: MembersOptions) {
    this.#options = options;
    this.#forms = options.forms ?? FORMS;
  }

  /** The form that is written. */
  get form(): number {
    return this.#form;
  }

  /**
   * Says that this one is there, from now on.
   *
   * @throws Error where others could not read what it writes, or it not what they write; ClusterAwayError
   */
  async join(): Promise<void> {
    await this.#sign(true);
    this.#signing = setInterval(() => void this.sign().catch(() => {}), SIGN_MS).unref();
  }

  /** Says it once more. */
  async sign(): Promise<void> {
    try {
      await this.#sign(false);
    } catch (error) {
      if (!(error instanceof UnfitError)) throw error;
      this.close();
      this.#options.outdated(error);
    }
  }

  /** The names of all nodes that were there lately. */
  async names(): Promise<string[]> {
    const { connection, keys } = this.#options;
    const names = (await connection.run(NAMES, [keys.members], [], { again: true })) as string[];
    return names.filter((name) => !name.startsWith(OWN_FIELD) && !name.startsWith(WORKER));
  }

  /** Says that this one leaves. */
  async leave(): Promise<void> {
    this.close();
    const { name, connection, keys } = this.#options;
    await connection.run(LEAVE, [keys.members], [keys.leaving, name], { again: true });
  }

  close(): void {
    clearInterval(this.#signing);
  }

  async #sign(isJoining: boolean): Promise<void> {
    const { name, connection, keys } = this.#options;
    const { newest, oldest } = this.#forms;
    const ids = connection.keyIds.join(' ');
    const about = [name, newest, oldest, this.#form, ids, isJoining ? 1 : 0];
    const times = [FORGET_MS, COUNTS_MS, TTL_MS];
    const reply = await connection.run(SIGN, [keys.members], [...about, ...times], {
      again: true,
    });
    const [answer, value] = reply as [string, string | number];
    if (answer === 'known') this.#form = Number(value);
    else throw new UnfitError(this.#reasonOf(answer, value));
  }

  #reasonOf(answer: string, value: string | number): string {
    if (answer === 'unknown-there') {
      return `${value} does not have the key that this one encrypts with: give all of them the new key behind the old one first (encrypt.keys)`;
    }
    if (answer === 'unknown-here') {
      return `${value} encrypts with a key that this one does not have: give it the keys of the others (encrypt.keys), or where this is the Redis of another application, another prefix`;
    }
    const { newest, oldest } = this.#forms;
    const { prefix } = this.#options.connection;
    return Number(value) > newest
      ? `what ${prefix}* holds was written by a newer version of @longwire/cluster (form ${value}; this version knows ${newest}): start the newer one. To go back, stop all nodes and delete the keys that begin with ${prefix}`
      : `what ${prefix}* holds was written by an older version of @longwire/cluster (form ${value}; this version reads ${oldest} and newer): start a version between the two on all nodes first, as CHANGELOG.md says`;
  }
}

/** It cannot take part. */
class UnfitError extends Error {}
