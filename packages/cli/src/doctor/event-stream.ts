import { setTimeout as delay } from 'node:timers/promises';
import type { ClientStats, LongwireClient, WireExchange } from '@longwire/client';
import { formatDuration } from '../durations.js';
import type { Finding } from './examination.js';
import type { Wire } from './wire.js';

/** How long the head of a response that is a stream may take. */
const headMs = 5000;

/** How long a stream may take to be asked for. */
const openMs = 1000;

const lookMs = 50;

/** How long nothing comes after the last answer, and how often that is waited for at most. */
const quietMs = 250;
const maxQuietRounds = 8;

const unbuffered =
  'let events pass at once: in nginx `proxy_buffering off;` and `gzip off;` for this path, or the ' +
  'header `X-Accel-Buffering: no` from the server';

/** An event stream that was asked for, and of which nothing comes. */
export const heldBack: Finding = {
  status: 'failed',
  layer: 'stream',
  detail: 'an event stream is asked for, and nothing of it comes: it is held back on the way',
  hint: unbuffered,
  exitCode: 6,
};

/**
 * Waits on the stream on which a server speaks unasked, until a heartbeat has come or the time is over.
 * A stream that something on the way holds back does not begin; one that is cut there ends in silence.
 */
export async function listenTo(
  client: LongwireClient,
  wire: Wire,
  { waitMs, signal }: { waitMs: number; signal: AbortSignal },
): Promise<Finding> {
  const transport = client.state.name === 'ready' ? client.state.transport : undefined;
  // Since 2026-07-28 there is a stream only for whom it interests.
  client.on('toolsChanged', () => {});
  await until(() => wire.stream !== undefined, openMs, signal);
  const asked = wire.stream;
  if (asked === undefined) {
    return { status: 'skipped', detail: 'the server has nothing to say unasked' };
  }
  const now = (): WireExchange => (wire.stream?.exchange === asked.exchange ? wire.stream : asked);
  await until(() => now().status !== undefined || now().phase === 'ended', headMs, signal);
  const { status, phase, elapsedMs } = now();
  if (status === undefined && phase !== 'ended') return heldBack;
  if (status !== undefined && status >= 400) {
    const why = status === 405 ? '' : ` (GET is answered ${status})`;
    return { detail: `the server offers none${why}`, facts: { status } };
  }
  const began = await quiet(client, signal);
  const startedAt = performance.now();
  const isHeartbeat = (): boolean => {
    const { bytes, messages } = client.stats();
    // What comes and is no message is a comment.
    return bytes.received > began.bytes.received && messages.received === began.messages.received;
  };
  await until(() => isHeartbeat() || now().phase === 'ended', waitMs, signal);
  const took = formatDuration(performance.now() - startedAt);
  if (now().phase === 'ended') {
    // A session of HTTP+SSE is its stream.
    const isLost = transport === 'sse' || transport === 'tool-events';
    return {
      status: isLost ? 'failed' : 'warning',
      detail: `it was cut after ${took} of silence`,
      facts: { cutAfterMs: Math.round(performance.now() - startedAt) },
      hint: 'raise the limit for idle streams on the way (in nginx `proxy_read_timeout`), or let the server send heartbeats more often',
      exitCode: 6,
    };
  }
  const opened = `begins at once (${formatDuration(elapsedMs)})`;
  if (isHeartbeat()) {
    return { detail: `${opened}, and a heartbeat came after ${took}`, facts: { heartbeat: true } };
  }
  const isProven = transport === 'sse' || transport === 'tool-events';
  const rest = isProven ? 'and brings the answers' : 'and is not cut';
  return {
    detail: `${opened}, ${rest}; no heartbeat came within ${took}`,
    facts: { heartbeat: false },
  };
}

/** What was counted once the last answers are in, with what belongs to them. */
async function quiet(client: LongwireClient, signal: AbortSignal): Promise<ClientStats> {
  for (let rounds = 0; ; rounds++) {
    const before = client.stats();
    await delay(quietMs, undefined, { signal }).catch(() => {});
    const isQuiet = client.stats().bytes.received === before.bytes.received;
    if (isQuiet || rounds >= maxQuietRounds || signal.aborted) return client.stats();
  }
}

async function until(isSo: () => boolean, ms: number, signal: AbortSignal): Promise<void> {
  const endsAt = performance.now() + ms;
  while (!isSo() && performance.now() < endsAt && !signal.aborted) {
    await delay(lookMs, undefined, { signal }).catch(() => {});
  }
}
