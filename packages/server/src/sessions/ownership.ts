import type { JSONRPCResultResponse, RequestId } from '@modelcontextprotocol/server';
import type { FastifyBaseLogger } from 'fastify';
import type { ClientCall } from '../calls/client-call.js';
import { isSessionLost, type BegunRequest, type ClusterNode } from '../cluster/cluster.js';
import type { LoggedEvent } from '../events/event-log.js';
import { inBackground } from '../operate/log.js';
import type { MaybePromise } from '../principal.js';
import { CLUSTER_AWAY, MOVED, type Refusal } from '../refusal.js';
import { mayRunTwice, type ListedTool } from '../tasks/tool-safety.js';
import type { RunningRequest } from './accepted-requests.js';
import { OwnedLog } from './owned-log.js';
import { OwnerIds } from './owner-ids.js';
import type { SessionHost } from './session-host.js';
import { MAIN_STREAM } from './session-streams.js';

/** Requests that may run twice: the specification's methods that change nothing, or not twice. */
const SAFE_METHODS: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'tools/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'prompts/list',
  'prompts/get',
  'completion/complete',
  'logging/setLevel',
  'tasks/get',
  'tasks/list',
  'tasks/result',
]);

/** So many requests in a row from one node: its clients are there. */
const STEADY = 16;

/** A session that this node owns. */
export interface OwnedSession {
  readonly id: string;
  readonly log: FastifyBaseLogger;
  readonly isQuiet: boolean;
}

/** What owns it, and is told of it. */
export interface OwnershipOptions<Owned> {
  readonly node: ClusterNode;
  /** Counts the owners, from 1. */
  readonly fence: number;
  readonly host: Pick<SessionHost<Owned>, 'events' | 'onLost' | 'onQuiet'>;
}

/** What the owner of a session does so that a next owner knows what it must. */
export class Ownership<Owned extends OwnedSession = OwnedSession> {
  readonly ids: OwnerIds;
  readonly #session: Owned;
  readonly #options: OwnershipOptions<Owned>;
  readonly #log: OwnedLog;
  /** Tools that may run twice; missing until they were listed. */
  #safeTools: Set<string> | undefined;
  /** The other node from which requests come, and how many did in a row. */
  #comesFrom: string | undefined;
  #inARow = 0;

  constructor(session: Owned, options: OwnershipOptions<Owned>) {
    const { host, fence } = options;
    this.#session = session;
    this.#options = options;
    this.ids = new OwnerIds(fence);
    this.#log = new OwnedLog({
      sessionId: session.id,
      events: host.events,
      onLost: (error) => host.onLost(session, error),
      onKept: () => this.noteSent(),
    });
  }

  /** Whether nobody else can have taken it. */
  get isSure(): boolean {
    return this.#options.node.isSurelyHere(this.#session.id);
  }

  /** Whether everything that was said is kept. */
  get isKept(): boolean {
    return this.#log.isKept;
  }

  /** Whether its clients are at another node. */
  get isSteadyElsewhere(): boolean {
    return this.#inARow >= STEADY;
  }

  /** Keeps a message; fulfilled when it is kept, or never will be. */
  keep(event: LoggedEvent, isSent: boolean): Promise<void> {
    return this.#log.keep(event, isSent);
  }

  /** All that was said is kept, or handed to the readers: it may be quiet now. */
  noteSent(): void {
    if (this.#session.isQuiet) this.#options.host.onQuiet(this.#session);
  }

  /** A request came, from another node or from a client of this one. */
  cameFrom(node: string | undefined): void {
    if (node === undefined) this.#inARow = 0;
    else this.#inARow = node === this.#comesFrom ? this.#inARow + 1 : 1;
    this.#comesFrom = node;
  }

  /** Whether a request may run again where it is not known what became of it. */
  isSafe({ method, target }: Pick<ClientCall, 'method' | 'target'>): boolean {
    if (method !== 'tools/call') return SAFE_METHODS.has(method);
    return target !== undefined && this.#safeTools?.has(target) === true;
  }

  /** Learns from a list of tools which of them may run twice. */
  noteTools({ tools }: JSONRPCResultResponse['result']): void {
    if (!Array.isArray(tools)) return;
    const safe = (this.#safeTools ??= new Set());
    for (const tool of tools as (ListedTool | null)[]) {
      if (typeof tool?.name !== 'string') continue;
      if (mayRunTwice(tool)) safe.add(tool.name);
      else safe.delete(tool.name);
    }
  }

  /**
   * Keeps a request before it runs. One that may run twice does not wait for that, unless its POST is
   * answered before it is: then nobody would ask for it again.
   *
   * @returns why it must not run here.
   */
  begin(request: RunningRequest): MaybePromise<Refusal | undefined> {
    const { call, digest, stream } = request;
    const { id, method, params } = call;
    const isSafe = this.isSafe(call);
    const isAwaited = !isSafe || stream === MAIN_STREAM;
    const { node, host } = this.#options;
    const session = this.#session;
    // A tool that is known not to be safe never runs again.
    const isRunOnce = method === 'tools/call' && !isSafe && this.#safeTools !== undefined;
    const begun: BegunRequest = {
      id,
      digest,
      stream,
      ...(!isRunOnce && { message: { jsonrpc: '2.0', id, method, ...(params && { params }) } }),
    };
    const refused = (error: unknown): Refusal => {
      if (isSessionLost(error)) {
        host.onLost(session, error);
        return MOVED;
      }
      session.log.warn(error, 'a request could not be kept before it runs');
      // It may have been kept after all.
      if (isAwaited) this.end(id);
      return CLUSTER_AWAY;
    };
    const beginning = node.begin(session.id, begun, isAwaited).then(() => undefined, refused);
    request.begun = beginning.then((refusal) => refusal === undefined);
    return isAwaited ? beginning : undefined;
  }

  /** A request has ended without an answer. */
  end(id: RequestId): void {
    const { id: sessionId, log } = this.#session;
    inBackground(log, 'the end of a request could not be kept', () =>
      this.#options.node.end(sessionId, id),
    );
  }
}
