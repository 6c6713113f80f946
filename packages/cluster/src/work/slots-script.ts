/**
 * The slots of one queue, in Redis. All keys of a queue have one hash tag:
 *
 * 1. what waits: `WHO SEQ ID`, sorted, so that the work of one principal is together, and in order;
 * 2. the principals with waiting work, by their turns;
 * 3. what runs: id → who;
 * 4. how much of each principal runs;
 * 5. counters and limits;
 * 6. nodes that have something here, and until when they surely live: what a dead node had is dropped;
 * 7. workers that take calls of this queue (`NAME:CONCURRENCY`), and until when they surely live.
 *
 * Every change is published with its number, so that nodes know how much waits, and who got a slot.
 */
export const SLOTS_SCRIPT: string = `
local waiting, turns, running, shares, counts, nodes, workers =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local op, channel, node, lease = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local granted = {}
local changed = false

local function who_of(member) return string.sub(member, 1, 22) end
local function id_of(member) return string.sub(member, 39) end
local function node_of(id) return string.match(id, '^(.*)/') end
local function waits(who)
  return redis.call('ZLEXCOUNT', waiting, '[' .. who, '(' .. who .. '\\255')
end

local function end_running(id)
  local who = redis.call('HGET', running, id)
  if not who then return end
  redis.call('HDEL', running, id)
  if redis.call('HINCRBY', shares, who, -1) <= 0 then redis.call('HDEL', shares, who) end
  changed = true
end

local function end_waiting(member)
  if redis.call('ZREM', waiting, member) == 0 then return end
  if waits(who_of(member)) == 0 then redis.call('ZREM', turns, who_of(member)) end
  changed = true
end

local function run(id, who)
  if redis.call('HSET', running, id, who) == 1 then redis.call('HINCRBY', shares, who, 1) end
  changed = true
end

local function wait(member)
  if redis.call('ZADD', waiting, 0, member) == 0 then return end
  if not redis.call('ZSCORE', turns, who_of(member)) then
    redis.call('ZADD', turns, redis.call('HINCRBY', counts, 'turn', 1), who_of(member))
  end
  changed = true
end

local function offered()
  local sum = 0
  for _, worker in ipairs(redis.call('ZRANGEBYSCORE', workers, '(' .. now, '+inf')) do
    sum = sum + tonumber(string.match(worker, ':(%d+)$'))
  end
  return sum
end

local function free()
  local slots = tonumber(redis.call('HGET', counts, 'concurrency') or '1')
  if redis.call('HGET', counts, 'worker') == '1' then slots = math.min(slots, offered()) end
  return slots - redis.call('HLEN', running)
end

-- One slot for each principal, in turns.
local function serve()
  local left = free()
  while left > 0 do
    local who = redis.call('ZRANGE', turns, 0, 0)[1]
    if not who then return end
    local member = redis.call('ZRANGEBYLEX', waiting, '[' .. who, '(' .. who .. '\\255', 'LIMIT', 0, 1)[1]
    if member then
      redis.call('ZREM', waiting, member)
      run(id_of(member), who)
      granted[#granted + 1] = id_of(member)
      left = left - 1
    end
    if waits(who) == 0 then
      redis.call('ZREM', turns, who)
    else
      redis.call('ZADD', turns, redis.call('HINCRBY', counts, 'turn', 1), who)
    end
  end
end

local function drop_node(dead)
  redis.call('ZREM', nodes, dead)
  for _, id in ipairs(redis.call('HKEYS', running)) do
    if node_of(id) == dead then end_running(id) end
  end
  for _, member in ipairs(redis.call('ZRANGE', waiting, 0, -1)) do
    if node_of(id_of(member)) == dead then end_waiting(member) end
  end
end

local isKnown = 1
if node ~= '' then
  local lives = redis.call('ZSCORE', nodes, node)
  if not lives or tonumber(lives) <= now then isKnown = 0 end
end
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', nodes, '-inf', now)) do drop_node(dead) end
if node ~= '' then redis.call('ZADD', nodes, now + lease, node) end

local answer = ''
local list = {}
if op == 'acquire' then
  local who, id, max, share = ARGV[7], ARGV[8], tonumber(ARGV[9]), tonumber(ARGV[10])
  redis.call('HSET', counts, 'concurrency', ARGV[5], 'worker', ARGV[6])
  local isFree = free() > 0 and redis.call('ZCARD', waiting) == 0
  if share >= 0 and tonumber(redis.call('HGET', shares, who) or '0') + waits(who) >= share then
    answer = 'principal-full'
  elseif isFree then
    run(id, who)
    answer = 'slot'
  elseif max >= 0 and redis.call('ZCARD', waiting) >= max then
    answer = 'full'
  else
    answer = who .. string.format('%016d', redis.call('HINCRBY', counts, 'seq', 1)) .. id
    wait(answer)
  end
elseif op == 'drop' then
  end_running(ARGV[7])
  if ARGV[8] ~= '' then end_waiting(ARGV[8]) end
elseif op == 'restore' then
  for at = 7, #ARGV, 3 do
    if ARGV[at] == 'running' then
      run(ARGV[at + 1], ARGV[at + 2])
    elseif redis.call('HEXISTS', running, ARGV[at + 1]) == 0 then
      wait(ARGV[at + 2])
    end
  end
elseif op == 'tick' then
  list = { {}, {} }
  for _, id in ipairs(redis.call('HKEYS', running)) do
    if node_of(id) == node then table.insert(list[1], id) end
  end
  for _, member in ipairs(redis.call('ZRANGE', waiting, 0, -1)) do
    if node_of(id_of(member)) == node then table.insert(list[2], id_of(member)) end
  end
elseif op == 'leave' then
  drop_node(node)
elseif op == 'look' then
  list = { redis.call('ZRANGE', turns, 0, -1), redis.call('ZRANGE', waiting, 0, -1) }
elseif op == 'offer' then
  redis.call('ZREMRANGEBYSCORE', workers, '-inf', now)
  if redis.call('ZADD', workers, now + lease, ARGV[7]) == 1 then changed = true end
elseif op == 'withdraw' then
  if redis.call('ZREM', workers, ARGV[7]) == 1 then changed = true end
end
serve()
if op == 'tick' then
  for _, id in ipairs(granted) do table.insert(list[1], id) end
end

local depth = { redis.call('ZCARD', waiting), redis.call('HLEN', running), offered() }
local version = tonumber(redis.call('HGET', counts, 'version') or '0')
if changed then
  version = redis.call('HINCRBY', counts, 'version', 1)
  local told = { version = version, waiting = depth[1], running = depth[2], workers = depth[3] }
  if #granted > 0 then told.granted = granted end
  redis.call('PUBLISH', channel, cjson.encode(told))
end
for at = 1, 7 do redis.call('PEXPIRE', KEYS[at], 600000) end
return { answer, isKnown, version, depth[1], depth[2], depth[3], granted, list }
`;
