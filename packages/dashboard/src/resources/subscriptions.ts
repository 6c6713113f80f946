import { signal } from '@preact/signals';
import { ask } from '../state/api.js';

/** Resources that this page subscribed to, as `server` and URI. */
const subscribed = signal<ReadonlySet<string>>(new Set());

/** Whether this page subscribed to a resource. */
export function isSubscribed(server: string, uri: string): boolean {
  return subscribed.value.has(`${server}\n${uri}`);
}

/** Switches a subscription on or off. @throws ApiError */
export async function subscribe(server: string, uri: string, on: boolean): Promise<void> {
  await ask('POST', `servers/${encodeURIComponent(server)}/subscribe`, { uri, on });
  const next = new Set(subscribed.value);
  if (on) next.add(`${server}\n${uri}`);
  else next.delete(`${server}\n${uri}`);
  subscribed.value = next;
}
