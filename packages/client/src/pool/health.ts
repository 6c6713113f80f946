import type { Health } from '../health/health.js';

/**
 * The health of a pool, of the health of its connections, of which there is at least one: `down` if none
 * of them answers, `degraded` if one of them is not healthy, or a target is ejected.
 */
export function poolHealth(healths: readonly Health[], ejected: readonly string[]): Health {
  const answered = healths.filter(({ latencyMs }) => latencyMs !== undefined);
  const latencies = answered.map(({ latencyMs = 0 }) => latencyMs);
  const complaints = healths.flatMap(({ reason }) => reason ?? []);
  for (const target of ejected) complaints.push(`${target} cannot be reached`);
  const reason = [...new Set(complaints)].join('; ');
  return {
    status: answered.length === 0 ? 'down' : reason === '' ? 'healthy' : 'degraded',
    ...(reason !== '' && { reason }),
    latencyMs: answered.length === 0 ? undefined : Math.min(...latencies),
    uptimeMs: Math.max(...healths.map(({ uptimeMs }) => uptimeMs)),
  };
}
