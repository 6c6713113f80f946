import { reportable } from '../client/sdk-errors.js';
import { LongwireError } from '../errors.js';
import type { ToolSource } from '../client/types.js';
import type { Health, HealthOptions } from '../health/health.js';

/** A source that can say how it is. */
interface HealthSource {
  health(options?: HealthOptions): Promise<Health>;
}

/**
 * How a source is, by its own word; one that has none is asked for its tools. Never rejects: what
 * does not answer is down.
 */
export async function healthOf(
  source: ToolSource,
  { since, slowMs, ...options }: HealthOptions & { since: number | undefined },
): Promise<Health> {
  const uptimeMs = since === undefined ? 0 : Date.now() - since;
  const startedAt = performance.now();
  try {
    if (saysHealth(source))
      return await source.health({ ...options, ...(slowMs !== undefined && { slowMs }) });
    await source.listTools(options);
    return { status: 'healthy', latencyMs: performance.now() - startedAt, uptimeMs };
  } catch (error) {
    if (!(error instanceof LongwireError) || error.code === 'aborted') throw error;
    const { summary } = reportable(error);
    return { status: 'down', reason: summary, latencyMs: undefined, uptimeMs };
  }
}

function saysHealth(source: object): source is HealthSource {
  return 'health' in source && typeof source.health === 'function';
}
