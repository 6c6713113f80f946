import { EVEN_IF_FULL } from '../connections/redis-connection.js';

/*
 * The scripts of one session. Its keys have one hash tag: KEYS[1] is a hash with the session, KEYS[2] one
 * with what it said. Each of them may run twice, and does then what it did once.
 *
 * Fields of the session: `o` its owner, as `NODE FENCE`, without a node where nobody has it; `q` the place of
 * the last message; `r` the record as it was created; `t` the last activity; `c:NAME` what has changed of the
 * record; `b:ID` a request that runs, or whose answer was too long to be kept. Fields of the log: a place, with
 * `STREAM TIME KIND DIGEST ID`, a line break and the message; `d` what is known of messages that are not kept.
 */

/** What a script says where the session is somebody else's, or not known, or a message comes too early. */
export const LOST = -1;
export const UNKNOWN = -2;
export const TOO_EARLY = -3;
/** It is kept, and nobody has heard what was published. In a Redis Cluster, nobody at this node of it. */
export const UNHEARD = 2;

const AS_OWNER = `
local owner = redis.call('HGET', KEYS[1], 'o')
if not owner then return ${UNKNOWN} end
if owner ~= ARGV[1] then return ${LOST} end`;

const fenced = (body: string): string => `${EVEN_IF_FULL}${AS_OWNER}
${body}`;

const READ_RECORD = `
local fields = redis.call('HGETALL', KEYS[1])
local record = {}
for i = 1, #fields, 2 do
  local first = string.sub(fields[i], 1, 2)
  if first == 'c:' or fields[i] == 'r' or fields[i] == 't' then
    record[#record + 1] = fields[i]
    record[#record + 1] = fields[i + 1]
  end
end`;

/** ARGV: owner, TTL, then fields and values. 0 where there is another session of this id. */
export const CREATE: string = `
local owner = redis.call('HGET', KEYS[1], 'o')
if owner then return owner == ARGV[1] and 1 or 0 end
redis.call('HSET', KEYS[1], 'o', ARGV[1], unpack(ARGV, 3))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`;

/**
 * Puts a session there again that Redis has lost, or of which it has only an older state. ARGV: owner, its
 * fence, TTL, place of the last message, then fields and values.
 */
export const RESTORE: string = `${EVEN_IF_FULL}
local owner = redis.call('HGET', KEYS[1], 'o')
if owner and owner ~= ARGV[1] then
  local fence = tonumber(string.match(owner, ' (%d+)$'))
  if fence >= tonumber(ARGV[2]) then return ${LOST} end
end
local kept = tonumber(redis.call('HGET', KEYS[1], 'q') or 0)
if kept < tonumber(ARGV[4]) then kept = ARGV[4] end
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  local first = string.sub(field, 1, 2)
  if first == 'c:' or first == 'b:' then redis.call('HDEL', KEYS[1], field) end
end
redis.call('HSET', KEYS[1], 'o', ARGV[1], 'q', kept)
-- One by one: \`unpack\` has a limit, and any number of requests may run.
for at = 5, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`;

/** Its owner, and the fields of its record; nothing where there is none. */
export const LOOK: string = `
local owner = redis.call('HGET', KEYS[1], 'o')
if not owner then return {} end
${READ_RECORD}
return {owner, record}`;

/** Only its owner. */
export const OWNER: string = `return redis.call('HGET', KEYS[1], 'o')`;

/**
 * Takes a session. ARGV: the owner that it had when it was looked at, the new one, TTL. Nothing where it has
 * another one by now.
 */
export const TAKE: string = `${EVEN_IF_FULL}
local owner = redis.call('HGET', KEYS[1], 'o')
if owner ~= ARGV[1] and owner ~= ARGV[2] then return {} end
redis.call('HSET', KEYS[1], 'o', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
${READ_RECORD}
local begun = {}
for i = 1, #fields, 2 do
  if string.sub(fields[i], 1, 2) == 'b:' then
    begun[#begun + 1] = string.sub(fields[i], 3)
    begun[#begun + 1] = fields[i + 1]
  end
end
local messages = redis.call('HGETALL', KEYS[2])
local log, dropped = {}, false
for i = 1, #messages, 2 do
  if messages[i] == 'd' then dropped = messages[i + 1] else
    log[#log + 1] = messages[i]
    log[#log + 1] = string.match(messages[i + 1], '^[^\\n]*')
    log[#log + 1] = #messages[i + 1]
  end
end
return {record, redis.call('HGET', KEYS[1], 'q'), begun, log, dropped}`;

/** ARGV: owner, the node that shall have it, or nothing. */
export const RELEASE: string = fenced(`
redis.call('HSET', KEYS[1], 'o', ARGV[2] .. ' ' .. string.match(owner, '(%d+)$'))
return 1`);

/** ARGV: owner, field, value. */
export const BEGIN: string = `
${AS_OWNER}
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
return 1`;

/** ARGV: owner, field. */
export const END: string = fenced(`
redis.call('HDEL', KEYS[1], ARGV[2])
return 1`);

/** ARGV: owner, TTL, then fields and values. */
export const UPDATE: string = fenced(`
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`);

/** ARGV: owner. */
export const DELETE: string = fenced(`
redis.call('DEL', KEYS[1], KEYS[2])
return 1`);

/** ARGV: owner. */
export const DELETE_LOG: string = fenced(`
redis.call('DEL', KEYS[2])
return 1`);

/**
 * Keeps a message, in the order of places. ARGV: owner, place, head and text of the message, TTL of the log
 * (0: it is not kept), the field of the request that it answers, channel and reader for whom it is published,
 * and what that field holds from then on where the answer is not kept.
 */
export const APPEND: string = `${EVEN_IF_FULL}
local known = redis.call('HMGET', KEYS[1], 'o', 'q')
if not known[1] then return ${UNKNOWN} end
if known[1] ~= ARGV[1] then return ${LOST} end
local kept, place = tonumber(known[2]), tonumber(ARGV[2])
if place <= kept then return 0 end
if place > kept + 1 then return ${TOO_EARLY} end
redis.call('HSET', KEYS[1], 'q', ARGV[2])
if ARGV[4] ~= '0' then
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
end
if ARGV[5] ~= '' then
  if ARGV[4] ~= '0' then redis.call('HDEL', KEYS[1], ARGV[5])
  else redis.call('HSET', KEYS[1], ARGV[5], ARGV[8]) end
end
if ARGV[6] == '' then return 1 end
if redis.call('PUBLISH', ARGV[6], ARGV[7] .. '\\n' .. ARGV[2] .. ' ' .. ARGV[3]) > 0 then return 1 end
return ${UNHEARD}`;

/** Drops messages. ARGV: owner, TTL of the log, what is known of messages that are not kept, places. */
export const DROP: string = fenced(`
if #ARGV > 3 then redis.call('HDEL', KEYS[2], unpack(ARGV, 4)) end
redis.call('HSET', KEYS[2], 'd', ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1`);

/** Messages of these places. */
export const READ: string = `return redis.call('HMGET', KEYS[2], unpack(ARGV))`;

/** Place of the last message, and all of the log. */
export const READ_ALL: string = `return {redis.call('HGET', KEYS[1], 'q'), redis.call('HGETALL', KEYS[2])}`;
