import type { WorkerAnswer, WorkerCall } from '@longwire/server';
import { isObject, type Place } from '../payloads.js';

/** What a worker tells the node that a call came by. */
export type Told =
  | {
      readonly kind: 'began';
      readonly id: string;
      readonly worker: string;
      readonly isSafe: boolean;
    }
  | {
      readonly kind: 'notified';
      readonly id: string;
      readonly method: string;
      readonly params: Record<string, unknown>;
    }
  | { readonly kind: 'ended'; readonly id: string };

/** A call, as BullMQ keeps it. */
export interface CallJob {
  /** The channel of the node that waits for it. */
  readonly to: string;
  /** The call, as text that may be encrypted. */
  readonly call: string;
}

/** A call of a queue, which is answered on one channel and no other. */
export function callPlace(queue: string, id: string, channel: string): Place {
  return ['call', queue, id, channel];
}

export function answerPlace(queue: string, id: string): Place {
  return ['answer', queue, id];
}

/** What is told on a channel. */
export function toldPlace(channel: string): Place {
  return ['told', channel];
}

export function isTold(value: unknown): value is Told {
  if (!isObject(value) || typeof value['id'] !== 'string') return false;
  const { kind, worker, isSafe, method, params } = value;
  if (kind === 'began') return typeof worker === 'string' && typeof isSafe === 'boolean';
  if (kind === 'notified') return typeof method === 'string' && isObject(params);
  return kind === 'ended';
}

export function isAnswer(value: unknown): value is WorkerAnswer {
  if (!isObject(value)) return false;
  const { result, error } = value;
  if (error === undefined) return isObject(result);
  return (
    isObject(error) && typeof error['code'] === 'number' && typeof error['message'] === 'string'
  );
}

export function isCall(value: unknown): value is WorkerCall {
  if (!isObject(value)) return false;
  const { principal, tool, params, headers, client } = value;
  return (
    isObject(principal) &&
    typeof principal['id'] === 'string' &&
    typeof tool === 'string' &&
    [params, headers, client].every((part) => isObject(part))
  );
}

/** How long an answer is kept that nobody has asked for yet, and that a call was cancelled. */
export const KEPT_MS = 600_000;

/** Tells something on a channel: as a key, so that a Redis Cluster has one place that keeps the order. */
export const TELL: string = `return redis.call('PUBLISH', KEYS[1], ARGV[1])`;

/** Keeps an answer, the first one, and tells that it is there. */
export const ANSWER: string = `
redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
return redis.call('PUBLISH', ARGV[3], ARGV[4])
`;

/** Cancels a call, wherever it is. */
export const CANCEL: string = `
redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
return redis.call('PUBLISH', ARGV[2], ARGV[3])
`;

/** Which of these are there. */
export const EXIST: string = `
local found = {}
for at, key in ipairs(KEYS) do found[at] = redis.call('EXISTS', key) end
return found
`;

/** Whether a node still has something in a queue. KEYS: the nodes of the queue. ARGV: its name. */
export const WAITS: string = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '0') > now and 1 or 0
`;

/** What an answer is, if it is there. */
export const READ: string = `return redis.call('GET', KEYS[1])`;

/** Forgets an answer that was taken. */
export const FORGET: string = `return redis.call('DEL', KEYS[1])`;

/**
 * How calls are: for each the answer, if there is one; the worker that took it; whether that lives; and
 * whether BullMQ still has it. A worker that takes no more calls is there with a concurrency of 0.
 */
export const LOOK: string = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local seen = {}
for at = 2, #KEYS, 2 do
  local job = KEYS[at + 1]
  local worker = redis.call('HGET', job, 'pb') or ''
  local lives = math.max(
    tonumber(redis.call('ZSCORE', KEYS[1], worker) or '0'),
    tonumber(redis.call('ZSCORE', KEYS[1], (string.gsub(worker, ':%d+$', ':0'))) or '0')
  )
  seen[#seen + 1] = {
    redis.call('GET', KEYS[at]) or '', worker, lives > now and 1 or 0, redis.call('EXISTS', job)
  }
end
return seen
`;

/** For how long a queue outlives its last call, in milliseconds. */
export const QUEUE_TTL_MS: number = 7 * 24 * 3_600_000;

/** Lets keys that BullMQ keeps for ever end by themselves; and nobody reads its events. */
export const EXPIRE: string = `
redis.call('HSET', KEYS[1], 'opts.maxLenEvents', '10')
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[1]) end
return 0
`;
