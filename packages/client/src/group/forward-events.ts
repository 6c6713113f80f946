import type { LongwireClient } from '../client/contract.js';
import type { GroupEvent } from './types.js';

/** Passes on what a client says of its server; the functions returned stop that. */
export function forwardEvents(
  client: LongwireClient,
  server: string,
  emit: (event: GroupEvent) => void,
): (() => void)[] {
  return [
    client.on('notification', ({ method, params }) =>
      emit({
        type: 'notification',
        server,
        at: Date.now(),
        method,
        ...(params !== undefined && { params }),
      }),
    ),
    // A client that the program gave may have another name.
    client.on('waiting', (waiting) =>
      emit({ ...waiting, type: 'waiting', server, at: Date.now() }),
    ),
    client.on('progress', (progress) =>
      emit({ ...progress, type: 'progress', server, at: Date.now() }),
    ),
  ];
}
