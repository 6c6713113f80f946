import type { Tool } from '@modelcontextprotocol/client';
import { LongwireError } from '../errors.js';
import { checkHealthOptions, HEALTH_DEFAULTS, type Health, type HealthOptions } from './health.js';

/** What a check by listing needs. */
export interface ListingCheckOptions extends HealthOptions {
  /** Lists the tools within limits. */
  list: (limits: { timeoutMs: number; signal?: AbortSignal }) => Promise<Tool[]>;
  /** For how long there has been a connection, in milliseconds. */
  uptimeMs: number;
}

/**
 * Checks the health of a server by listing its tools, where it cannot be asked otherwise. A server that
 * does not answer is `down`.
 *
 * @throws LongwireError `aborted`; TypeError for an option that is wrong.
 */
export async function healthByListing({
  list,
  uptimeMs,
  ...options
}: ListingCheckOptions): Promise<Health> {
  checkHealthOptions(options);
  const { slowMs, ...limits } = { ...HEALTH_DEFAULTS, ...options };
  const startedAt = performance.now();
  try {
    await list(limits);
  } catch (error) {
    if (!(error instanceof LongwireError) || error.code === 'aborted') throw error;
    return { status: 'down', reason: error.summary, latencyMs: undefined, uptimeMs };
  }
  const latencyMs = performance.now() - startedAt;
  if (latencyMs <= slowMs) return { status: 'healthy', latencyMs, uptimeMs };
  return { status: 'degraded', reason: 'it is slow', latencyMs, uptimeMs };
}
