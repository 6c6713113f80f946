import type { EventCursor } from '../../http/event-cursor.js';
import type { Resumption } from '../channel.js';

/** A session whose stream has event ids, and the position in that stream. */
export class SseResumption implements Resumption {
  readonly transport = 'sse';
  readonly endpoint: URL;
  readonly cursor: EventCursor;

  constructor(endpoint: URL, cursor: EventCursor) {
    this.endpoint = endpoint;
    this.cursor = cursor;
  }
}
