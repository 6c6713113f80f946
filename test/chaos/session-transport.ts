import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ChaosSession } from './chaos-session.ts';
import type { ServerTransportOptions, ServerTransport } from './server-transport.ts';
import { SessionStore, type KeptSession } from './session-store.ts';

/** What every transport with sessions does in the same way. */
export abstract class SessionTransport<
  Session extends KeptSession & { mcp: ChaosSession },
> implements ServerTransport {
  abstract readonly path: string;
  abstract readonly openStreams: number;
  resumptions = 0;
  protected readonly options: ServerTransportOptions;
  protected readonly sessions = new SessionStore<Session>();

  constructor(options: ServerTransportOptions) {
    this.options = options;
  }

  abstract take(request: IncomingMessage, response: ServerResponse): Promise<void> | void;

  get openedSessions(): number {
    return this.sessions.opened;
  }

  get liveSessions(): number {
    return this.sessions.size;
  }

  announce(): void {
    for (const { mcp } of this.sessions.all()) mcp.announce();
  }

  dropSessions(): void {
    this.sessions.endAll();
  }
}
