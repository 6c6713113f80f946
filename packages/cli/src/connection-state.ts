import type { ConnectionState } from '@longwire/client';
import { formatDuration } from './durations.js';
import { sanitizeLine } from './sanitize.js';

/** Where a connection stands, on one line; its URL is not redacted yet. */
export function describeState(state: ConnectionState): string {
  switch (state.name) {
    case 'ready':
      return `ready: ${state.dialect} at ${state.url}, in ${formatDuration(state.connectMs)}`;
    case 'resting':
      return `resting: ${sanitizeLine(state.reason.message)}`;
    default:
      return state.name;
  }
}
