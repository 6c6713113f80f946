import { WITH_CLOCK } from './store-connection.js';

/** Keeps a key for so long at least. */
const KEEP = `
local function keep(key, ms)
  ms = math.ceil(ms)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, ms) end
end
`;

/**
 * Takes the place of a new task among those of all principals: KEYS: all. ARGV: the time, the id, the most
 * tasks, how long it is kept, how much longer its key.
 */
export const CLAIM_TASK: string = `${WITH_CLOCK}${KEEP}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZSCORE', KEYS[1], ARGV[2]) then return 'exists' end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 'too-many' end
redis.call('ZADD', KEYS[1], now + ARGV[4], ARGV[2])
keep(KEYS[1], ARGV[4] + ARGV[5])
return 'claimed'
`;

/** Gives such a place back. KEYS: all. ARGV: the id. */
export const UNCLAIM_TASK: string = `return redis.call('ZREM', KEYS[1], ARGV[1])`;

/**
 * KEYS: the task, the order of its principal's tasks, when they expire, and their sizes. ARGV: the time, the
 * id, the most tasks and bytes of a principal, how long it is kept, how much longer its key, what its key
 * begins with, and the fields.
 *
 * @returns the time of its creation, or why there is none
 */
export const CREATE_TASK: string = `${WITH_CLOCK}${KEEP}
local id = ARGV[2]
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now)) do
  redis.call('DEL', ARGV[7] .. gone)
  redis.call('ZREM', KEYS[2], gone)
  redis.call('ZREM', KEYS[3], gone)
  redis.call('HINCRBY', KEYS[4], 'bytes', -(redis.call('HGET', KEYS[4], 'of:' .. gone) or 0))
  redis.call('HDEL', KEYS[4], 'of:' .. gone)
end
if redis.call('EXISTS', KEYS[1]) == 1 then return 'exists' end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[3]) then return 'too-many' end
if tonumber(redis.call('HGET', KEYS[4], 'bytes') or 0) >= tonumber(ARGV[4]) then return 'too-many' end
now = math.floor(now)
local time = string.format('%.0f', now)
local bytes = 0
for at = 8, #ARGV do bytes = bytes + #ARGV[at] end
redis.call('HSET', KEYS[1], unpack(ARGV, 8))
redis.call('HSET', KEYS[1], 'createdAt', time, 'lastUpdatedAt', time, 'version', 1)
redis.call('HSET', KEYS[1], 'expiresAt', string.format('%.0f', now + ARGV[5]))
redis.call('ZADD', KEYS[2], redis.call('HINCRBY', KEYS[4], 'serial', 1), id)
redis.call('ZADD', KEYS[3], now + ARGV[5], id)
redis.call('HINCRBY', KEYS[4], 'bytes', bytes)
redis.call('HSET', KEYS[4], 'of:' .. id, bytes)
for at = 1, 4 do keep(KEYS[at], ARGV[5] + ARGV[6]) end
return now
`;

/** KEYS: the task. ARGV: the time. */
export const GET_TASK: string = `${WITH_CLOCK}
local expiresAt = redis.call('HGET', KEYS[1], 'expiresAt')
if not expiresAt or now >= tonumber(expiresAt) then return false end
return redis.call('HGETALL', KEYS[1])
`;

/**
 * KEYS: as of {@link CREATE_TASK}. ARGV: the time, the id, the version, the channel, how long it is kept (or
 * '' if that does not change), how much longer its key, the number of fields to be removed, these, and the
 * fields to be set.
 *
 * @returns the time, and the task before; whoever asks knows what it changes
 */
export const UPDATE_TASK: string = `${WITH_CLOCK}${KEEP}
local known = redis.call('HMGET', KEYS[1], 'version', 'status', 'expiresAt', 'createdAt')
if not known[1] or now >= tonumber(known[3]) then return false end
local status = known[2]
local final = status == '"completed"' or status == '"failed"' or status == '"cancelled"'
if known[1] ~= ARGV[3] or final then return 'conflict' end
local before = redis.call('HGETALL', KEYS[1])
now = math.floor(now)
local removed = tonumber(ARGV[7])
local bytes = 0
for at = 8 + removed, #ARGV, 2 do
  bytes = bytes + #ARGV[at + 1] - redis.call('HSTRLEN', KEYS[1], ARGV[at])
end
for at = 8, 7 + removed do bytes = bytes - redis.call('HSTRLEN', KEYS[1], ARGV[at]) end
if removed > 0 then redis.call('HDEL', KEYS[1], unpack(ARGV, 8, 7 + removed)) end
if #ARGV > 7 + removed then redis.call('HSET', KEYS[1], unpack(ARGV, 8 + removed)) end
local version = redis.call('HINCRBY', KEYS[1], 'version', 1)
redis.call('HSET', KEYS[1], 'lastUpdatedAt', string.format('%.0f', now))
redis.call('HINCRBY', KEYS[4], 'bytes', bytes)
redis.call('HINCRBY', KEYS[4], 'of:' .. ARGV[2], bytes)
if ARGV[5] ~= '' then
  local expiresAt = known[4] + ARGV[5]
  redis.call('HSET', KEYS[1], 'expiresAt', string.format('%.0f', expiresAt))
  redis.call('ZADD', KEYS[3], expiresAt, ARGV[2])
  for at = 1, 4 do keep(KEYS[at], math.max(expiresAt - now, 0) + ARGV[6]) end
end
redis.call('PUBLISH', ARGV[4], version)
return { now, before }
`;

/** KEYS: as of {@link CREATE_TASK}. ARGV: the time, the id, the channel. */
export const DELETE_TASK: string = `${WITH_CLOCK}
local expiresAt = redis.call('HGET', KEYS[1], 'expiresAt')
if not expiresAt then return 0 end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('ZREM', KEYS[3], ARGV[2])
redis.call('HINCRBY', KEYS[4], 'bytes', -(redis.call('HGET', KEYS[4], 'of:' .. ARGV[2]) or 0))
redis.call('HDEL', KEYS[4], 'of:' .. ARGV[2])
redis.call('PUBLISH', ARGV[3], 'deleted')
return now < tonumber(expiresAt) and 1 or 0
`;

/**
 * The next tasks of a principal. KEYS: their order, and when they expire. ARGV: the time, after which place,
 * and how many at most.
 *
 * @returns their ids, each with its place
 */
export const LIST_TASKS: string = `${WITH_CLOCK}
local page = {}
local wanted = tonumber(ARGV[3])
local after = '(' .. ARGV[2]
while #page < 2 * wanted do
  local found = redis.call('ZRANGEBYSCORE', KEYS[1], after, '+inf', 'WITHSCORES', 'LIMIT', 0, wanted)
  if #found == 0 then break end
  for at = 1, #found, 2 do
    local expiresAt = redis.call('ZSCORE', KEYS[2], found[at])
    if expiresAt and now < tonumber(expiresAt) and #page < 2 * wanted then
      page[#page + 1] = found[at]
      page[#page + 1] = found[at + 1]
    end
    after = '(' .. found[at + 1]
  end
end
return page
`;
