import type { ClientStats } from '../health/stats.js';

/** The part of a pool's figures that is the sum of its connections'. */
export type ConnectionStats = Pick<
  ClientStats,
  'connectedSince' | 'lastActivityAt' | 'reconnects' | 'messages' | 'bytes' | 'droppedAnswers'
>;

/** Nothing yet. */
export const NO_STATS: ConnectionStats = {
  connectedSince: undefined,
  lastActivityAt: undefined,
  reconnects: 0,
  messages: { sent: 0, received: 0 },
  bytes: { sent: 0, received: 0 },
  droppedAnswers: 0,
};

/** The figures of two together. */
export function sumOf(a: ConnectionStats, b: ConnectionStats): ConnectionStats {
  return {
    connectedSince: pick(Math.min, a.connectedSince, b.connectedSince),
    lastActivityAt: pick(Math.max, a.lastActivityAt, b.lastActivityAt),
    reconnects: a.reconnects + b.reconnects,
    messages: sumOfBoth(a.messages, b.messages),
    bytes: sumOfBoth(a.bytes, b.bytes),
    droppedAnswers: a.droppedAnswers + b.droppedAnswers,
  };
}

function sumOfBoth(
  a: ConnectionStats['bytes'],
  b: ConnectionStats['bytes'],
): ConnectionStats['bytes'] {
  return { sent: a.sent + b.sent, received: a.received + b.received };
}

function pick(
  of: (...times: number[]) => number,
  ...dates: (Date | undefined)[]
): Date | undefined {
  const times = dates.filter((date) => date !== undefined).map(Number);
  return times.length === 0 ? undefined : new Date(of(...times));
}
