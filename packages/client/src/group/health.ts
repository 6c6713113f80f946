import type { ServerSource } from '../client/contract.js';
import type { ToolSource } from '../client/types.js';
import { healthByListing } from '../health/by-listing.js';
import type { Health, HealthOptions } from '../health/health.js';

/**
 * The health of a source, by its own word; a source that has none is asked for its tools.
 *
 * @throws LongwireError `aborted`; TypeError for an option that is wrong.
 */
export async function healthOf(
  source: ToolSource,
  {
    since,
    isDisabled,
    ...options
  }: HealthOptions & { since: number | undefined; isDisabled: boolean },
): Promise<Health> {
  if (isDisabled) {
    return { status: 'down', reason: 'it is disabled', latencyMs: undefined, uptimeMs: 0 };
  }
  if (saysHealth(source)) return source.health(options);
  return healthByListing({
    ...options,
    list: (limits) => source.listTools(limits),
    uptimeMs: since === undefined ? 0 : Date.now() - since,
  });
}

function saysHealth(source: object): source is Pick<ServerSource, 'health'> {
  return 'health' in source && typeof source.health === 'function';
}
