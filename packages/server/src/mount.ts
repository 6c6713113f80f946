import type { ServerEvent, ServerNotifier } from '@modelcontextprotocol/server';
import type { FastifyRequest } from 'fastify';
import type { CallGate } from './calls/call.js';
import { CallGates } from './calls/gates.js';
import { SessionHandles } from './cluster/session-handles.js';
import { BufferBudget } from './events/buffer-budget.js';
import type { EventStreamOptions } from './events/event-stream.js';
import { Heartbeats } from './events/heartbeats.js';
import type { JoinedCluster } from './cluster/joined-cluster.js';
import { IncomingRequest } from './http/incoming-request.js';
import {
  notificationTeller,
  type KitObserver,
  type KitStats,
  type McpMount,
  type TellNotification,
} from './operate/observer.js';
import type { ResolvedOptions } from './options.js';
import { ANONYMOUS, type Principal } from './principal.js';
import type { Refusal } from './refusal.js';
import { notificationOf } from './server-events.js';
import { Sessions } from './sessions/sessions.js';
import { StatelessRoutes } from './stateless/routes.js';
import { LegacyTasks } from './sessions/legacy-tasks.js';
import { TaskEngine } from './tasks/task-engine.js';

/** What a mount is made of, beside its options. */
export interface MountParts {
  readonly gates: readonly CallGate[];
  readonly observers: readonly KitObserver[];
  /** Why no session may be opened now. */
  readonly refusesSession: () => Refusal | undefined;
  /** Told every server before it is connected. */
  readonly watch: (server: object) => void;
}

/** Everything that the routes of one mount share. */
export class Mount implements McpMount {
  readonly options: ResolvedOptions;
  readonly gates: CallGates;
  readonly sessions: Sessions;
  /** The sessions as the routes use them. */
  readonly handles: SessionHandles;
  readonly stateless: StatelessRoutes;
  /** Missing where no tool has tasks. */
  readonly tasks: TaskEngine | undefined;
  readonly events: EventStreamOptions;
  /** Tells observers of what servers say. */
  readonly notified: TellNotification | undefined;
  readonly #stopHearing: (() => void) | undefined;
  readonly #principals = new WeakMap<FastifyRequest, Principal>();
  /** Told every server before it is connected. */
  readonly watch: (server: object) => void;

  constructor(options: ResolvedOptions, { gates, observers, refusesSession, watch }: MountParts) {
    this.options = options;
    this.gates = new CallGates(gates);
    this.watch = watch;
    this.notified = notificationTeller(observers, options.log);
    const { heartbeatMs, retryMs, maxBufferedBytes } = options;
    this.events = {
      heartbeats: new Heartbeats(heartbeatMs),
      retryMs,
      maxBufferedBytes,
      budget: new BufferBudget(options),
    };
    const { tasks } = options;
    this.tasks = tasks && new TaskEngine(tasks, this);
    this.sessions = new Sessions({
      options,
      gates: this.gates,
      observers,
      notified: this.notified,
      tasks: this.tasks && new LegacyTasks(this.tasks, options.cluster?.node.name),
      refusesSession,
      watch,
      extraOf: (request, session) => {
        const { authInfo } = session.principal;
        return {
          request: IncomingRequest.from(request, session),
          ...(authInfo !== undefined && { authInfo }),
        };
      },
    });
    this.handles = new SessionHandles({
      sessions: this.sessions,
      cluster: options.cluster,
      gates: this.gates,
      options,
      log: options.log,
    });
    this.stateless = new StatelessRoutes(this);
    this.#stopHearing =
      options.cluster && options.stores.bus.subscribe((event) => this.#tellSessions(event));
  }

  /** Missing where this process is alone. */
  get cluster(): JoinedCluster | undefined {
    return this.options.cluster;
  }

  /** Who sends a request, as its authentication said. */
  principalOf(request: FastifyRequest): Principal {
    return this.#principals.get(request) ?? ANONYMOUS;
  }

  setPrincipal(request: FastifyRequest, principal: Principal): void {
    this.#principals.set(request, principal);
  }

  async endSession(id: string): Promise<boolean> {
    for (const session of this.sessions.all()) {
      if (session.id !== id) continue;
      await session.end('ended-by-operator');
      return true;
    }
    return this.sessions.endElsewhere(id);
  }

  /** Ends the sessions and subscriptions that these principals have on this node. */
  endOf(isOf: (principal: Principal) => boolean): void {
    for (const session of this.sessions.all()) {
      if (isOf(session.principal)) void session.end('ended-by-operator');
    }
    this.stateless.endSubscriptionsOf(isOf);
  }

  stats(): KitStats {
    let { streams, running: callsInFlight } = this.stateless;
    streams += this.handles.streams;
    callsInFlight += this.tasks?.working ?? 0;
    let hibernating = 0;
    for (const session of this.sessions.all()) {
      streams += session.streams.size;
      callsInFlight += session.requests.running;
      if (session.isHibernating) hibernating++;
    }
    return {
      sessions: this.sessions.size,
      hibernating,
      streams,
      callsInFlight,
      bufferedBytes: this.events.budget.bytes,
      eventLogBytes: this.options.stores.events.bytes,
      ...(this.cluster !== undefined && { cluster: this.cluster.stats }),
    };
  }

  get notify(): ServerNotifier {
    const { bus } = this.options.stores;
    const say = (event: ServerEvent): void => {
      bus.publish(event);
      const notification = notificationOf(event);
      if (notification !== undefined) this.notified?.(notification);
      // In a cluster the bus tells each node, this one too.
      if (this.#stopHearing === undefined) this.#tellSessions(event);
    };
    return {
      toolsChanged: () => say({ kind: 'tools_list_changed' }),
      promptsChanged: () => say({ kind: 'prompts_list_changed' }),
      resourcesChanged: () => say({ kind: 'resources_list_changed' }),
      resourceUpdated: (uri) => say({ kind: 'resource_updated', uri }),
    };
  }

  /** Hears no more what other nodes say. */
  close(): void {
    this.#stopHearing?.();
  }

  #tellSessions(event: ServerEvent): void {
    const notification = notificationOf(event);
    if (notification === undefined) return;
    const { method, params } = notification;
    for (const session of this.sessions.all()) {
      if (params !== undefined && !session.record.subscriptions.includes(params.uri)) continue;
      session.notify(method, params && { ...params });
    }
  }
}
