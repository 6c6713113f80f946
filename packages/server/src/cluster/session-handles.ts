import type { ClientRequest } from '../client-request.js';
import type { MaybePromise, Principal } from '../principal.js';
import { Session } from '../sessions/session.js';
import type { Sessions } from '../sessions/sessions.js';
import { LocalSession, type LocalSessionHost } from './local-session.js';
import type { SessionHandle } from './session-handle.js';

/** What the handles of sessions are made with. */
export interface SessionHandlesOptions extends LocalSessionHost {
  readonly sessions: Sessions;
}

/** The sessions of a mount, wherever they are. */
export class SessionHandles {
  readonly #sessions: Sessions;
  readonly #host: LocalSessionHost;

  constructor({ sessions, gates, options }: SessionHandlesOptions) {
    this.#sessions = sessions;
    this.#host = { gates, options };
  }

  /** Sets what is told every message of a client before the server. */
  set noteIncoming(note: LocalSessionHost['noteIncoming']) {
    this.#host.noteIncoming = note;
  }

  /** The handle of a session of this node. */
  of(session: Session): LocalSession {
    return new LocalSession(session, this.#host);
  }

  /** The open session of this id, if this principal opened it. */
  find(id: string, principal: Principal): MaybePromise<SessionHandle | undefined> {
    const session = this.#sessions.find(id, principal);
    return session && this.of(session);
  }

  /** The session that this principal opened with this resume key. */
  async findByResume(
    resumeKey: string,
    principal: Principal,
    request: ClientRequest,
  ): Promise<SessionHandle | undefined> {
    const session = await this.#sessions.findByResume(resumeKey, principal, request);
    return session instanceof Session ? this.of(session) : undefined;
  }
}
