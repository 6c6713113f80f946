import type { FastifyBaseLogger } from 'fastify';
import type { ClientRequest } from '../client-request.js';
import type { MaybePromise, Principal } from '../principal.js';
import { OTHER_VERSION, kindOf } from './node-messages.js';
import { ElsewhereSession } from '../sessions/elsewhere.js';
import type { Session } from '../sessions/session.js';
import type { Sessions } from '../sessions/sessions.js';
import type { NodeMessage } from './cluster.js';
import type { JoinedCluster } from './joined-cluster.js';
import { LocalSession, type LocalSessionHost } from './local-session.js';
import { NodeInbox } from './node-inbox.js';
import type { AnsweringMessage, AskingMessage } from './node-messages.js';
import { RemoteSessions } from './remote-sessions.js';
import type { SessionHandle } from './session-handle.js';

/** What the handles of sessions are made with. */
export interface SessionHandlesOptions extends LocalSessionHost {
  readonly sessions: Sessions;
  /** Missing without a cluster. */
  readonly cluster: JoinedCluster | undefined;
  readonly log: FastifyBaseLogger | undefined;
}

/** What reaches sessions of other nodes, and serves them those of this one. */
interface Others {
  readonly inbox: NodeInbox;
  readonly remote: RemoteSessions;
}

/** The sessions of a mount, wherever they are. */
export class SessionHandles {
  readonly #sessions: Sessions;
  readonly #host: LocalSessionHost;
  /** Missing without a cluster. */
  readonly #others: Others | undefined;

  constructor({ sessions, cluster, gates, options, log }: SessionHandlesOptions) {
    this.#sessions = sessions;
    this.#host = { gates, options };
    this.#others = cluster && log && this.#joined(cluster, log);
  }

  /** Sets what serves the tool-events transport. */
  set eventCalls(calls: LocalSessionHost['eventCalls']) {
    this.#host.eventCalls = calls;
  }

  /** The streams of other nodes that are read here. */
  get streams(): number {
    return this.#others?.remote.streams ?? 0;
  }

  /** The requests that wait for other nodes. */
  get waiting(): number {
    return this.#others?.remote.posts ?? 0;
  }

  /** The handle of a session of this node. */
  of(session: Session): LocalSession {
    return new LocalSession(session, this.#host);
  }

  /**
   * The open session of this id, if this principal opened it.
   *
   * @throws RefusedError where that cannot be known now.
   */
  find(
    id: string,
    principal: Principal,
    request: ClientRequest,
  ): MaybePromise<SessionHandle | undefined> {
    const session = this.#sessions.find(id, principal);
    if (session !== undefined || this.#others === undefined) return session && this.of(session);
    return (
      this.#others.remote.get(id, principal) ??
      this.#sessions
        .locate(id, principal, request)
        .then((found) => this.#handleOf(found, principal, request))
    );
  }

  /** The session that this principal opened with this resume key. */
  async findByResume(
    resumeKey: string,
    principal: Principal,
    request: ClientRequest,
  ): Promise<SessionHandle | undefined> {
    const found = await this.#sessions.findByResume(resumeKey, principal, request);
    return this.#handleOf(found, principal, request);
  }

  /** Ends the streams of other nodes that are read here: their clients come back elsewhere. */
  closeStreams(): void {
    this.#others?.remote.closeStreams();
  }

  /** Gives up what waits for other nodes. */
  close(): void {
    this.#others?.remote.close();
  }

  #handleOf(
    found: Session | ElsewhereSession | undefined,
    principal: Principal,
    request: ClientRequest,
  ): SessionHandle | undefined {
    if (!(found instanceof ElsewhereSession)) return found && this.of(found);
    return this.#others?.remote.at(found, principal, request);
  }

  #joined(cluster: JoinedCluster, log: FastifyBaseLogger): Others {
    const sessions = this.#sessions;
    const remote = new RemoteSessions({
      cluster,
      log,
      locate: async (id, principal, request) => {
        const found = await sessions.locate(id, principal, request);
        return found === undefined || found instanceof ElsewhereSession ? found : this.of(found);
      },
    });
    const inbox = new NodeInbox({ cluster, sessions, log, of: (session) => this.of(session) });
    const others = { inbox, remote };
    Object.assign(this.#host, {
      postAgain: (session, posted) =>
        remote
          .at(new ElsewhereSession('', session.record), posted.principal, posted.request)
          .post(posted),
      detached: ({ id, principal }, stream, sink) =>
        remote.get(id, principal)?.detach(stream, sink),
    } satisfies Partial<LocalSessionHost>);
    cluster.add({
      received: (message, from) => receive(others, message, from),
      published: (reader, _sessionId, event) => remote.published(reader, event),
      missed: () => remote.missed(),
      gone: (node) => {
        inbox.gone(node);
        remote.gone(node);
      },
    });
    return others;
  }
}

/** Takes a message of another node. Those of tasks and pages are for others. */
function receive({ inbox, remote }: Others, message: NodeMessage, from: string): void {
  if (message.kind === 'page' || message.kind.startsWith('task')) return;
  switch (kindOf(message)) {
    case 'asking':
      inbox.received(message as AskingMessage, from);
      return;
    case 'answering':
      remote.answered(message as AnsweringMessage, from);
      return;
    case 'unknown': {
      const { session, uid } = message as AskingMessage;
      inbox.answer({ session, uid }, from, { kind: 'refused', refusal: OTHER_VERSION });
    }
  }
}
