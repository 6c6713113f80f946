import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ChaosSession } from './chaos-session.ts';
import type { DialectOptions, HttpDialect } from './http-dialect.ts';
import { SessionStore, type KeptSession } from './session-store.ts';

/** What every dialect with sessions does in the same way. */
export abstract class SessionDialect<
  Session extends KeptSession & { mcp: ChaosSession },
> implements HttpDialect {
  abstract readonly path: string;
  abstract readonly openStreams: number;
  resumptions = 0;
  protected readonly options: DialectOptions;
  protected readonly sessions = new SessionStore<Session>();

  constructor(options: DialectOptions) {
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

  forgetAll(): void {
    this.sessions.endAll();
  }
}
