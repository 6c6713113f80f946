import type { ToolSource } from '../client/types.js';
import { LongwireError } from '../errors.js';
import {
  checkHealthOptions,
  HEALTH_DEFAULTS,
  type Health,
  type HealthOptions,
} from '../health/health.js';

/** A source that can say how it is. */
interface HealthSource {
  health(options?: HealthOptions): Promise<Health>;
}

/**
 * How a source is, by its own word; one that has none is asked for its tools. What does not answer
 * is down.
 *
 * @throws LongwireError `aborted`; TypeError for an option that is wrong.
 */
export async function healthOf(
  source: ToolSource,
  { since, ...options }: HealthOptions & { since: number | undefined },
): Promise<Health> {
  if (saysHealth(source)) return source.health(options);
  checkHealthOptions(options);
  const { slowMs, ...limits } = { ...HEALTH_DEFAULTS, ...options };
  const uptimeMs = since === undefined ? 0 : Date.now() - since;
  const startedAt = performance.now();
  try {
    await source.listTools(limits);
  } catch (error) {
    if (!(error instanceof LongwireError) || error.code === 'aborted') throw error;
    return { status: 'down', reason: error.summary, latencyMs: undefined, uptimeMs };
  }
  const latencyMs = performance.now() - startedAt;
  if (latencyMs <= slowMs) return { status: 'healthy', latencyMs, uptimeMs };
  return { status: 'degraded', reason: 'it is slow', latencyMs, uptimeMs };
}

function saysHealth(source: object): source is HealthSource {
  return 'health' in source && typeof source.health === 'function';
}
