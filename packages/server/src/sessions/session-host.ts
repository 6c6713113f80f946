import type { ClientRequest } from '../client-request.js';
import type { CallGates } from '../calls/gates.js';
import type { ClusterNode, TakenSession } from '../cluster/cluster.js';
import type { SessionEnd, TellNotification } from '../operate/observer.js';
import type { MaybePromise, Principal } from '../principal.js';
import type { LegacyTasks } from './legacy-tasks.js';
import type { ServerMaker } from './session-server.js';
import type { SessionStore } from './session-store.js';
import type { StreamsHost } from './session-streams.js';

/** What a session needs of its mount. */
export interface SessionHost<Served> extends StreamsHost, ServerMaker<Served> {
  readonly store: SessionStore;
  /** Missing without a cluster. */
  readonly node: ClusterNode | undefined;
  readonly gates: CallGates;
  readonly notified: TellNotification | undefined;
  /** Missing where no tool has tasks. */
  readonly tasks: LegacyTasks | undefined;
  /** Called once, when the session ends here. */
  onEnd(session: Served, reason: SessionEnd): MaybePromise<void>;
  /** Called where nothing may run in it any more, and it could move. */
  onQuiet(session: Served): void;
  /** Called where another node has it, or it could not be kept for too long. */
  onLost(session: Served, error: unknown): void;
}

/** What a session is made of. */
export interface SessionParts<Served> {
  readonly principal: Principal;
  /** The request that opened it, or met it where it is taken over. */
  readonly origin: ClientRequest;
  readonly host: SessionHost<Served>;
  /** What an owner before has left. */
  readonly taken?: TakenSession | undefined;
}
