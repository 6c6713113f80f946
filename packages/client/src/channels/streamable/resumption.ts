import type { EventCursor } from '../../http/event-cursor.js';
import type { Resumption } from '../channel.js';

/** A session with an id, and the position in its server stream. */
export class StreamableResumption implements Resumption {
  readonly transport = 'streamable-http';
  readonly url: URL;
  readonly sessionId: string;
  readonly protocolVersion: string | undefined;
  readonly cursor: EventCursor;

  constructor(url: URL, session: Omit<StreamableResumption, 'transport' | 'url'>) {
    this.url = url;
    this.sessionId = session.sessionId;
    this.protocolVersion = session.protocolVersion;
    this.cursor = session.cursor;
  }
}
