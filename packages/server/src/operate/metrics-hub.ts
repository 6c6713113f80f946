import type { ClusterStats } from '../cluster/joined-cluster.js';
import type { KitStats } from './observer.js';
import type { Attributes } from './attributes.js';
import type { Instrument, MetricsSink, Reading } from './metrics-sink.js';
import * as names from './names.js';
import { addRuntimeGauges } from './runtime.js';

/** How much waits and runs in the queue of a tool. */
export interface QueueDepth {
  readonly queue: string;
  readonly waiting: number;
  readonly running: number;
  /** How much its workers take at a time; missing where it runs in this process. */
  readonly workers?: number;
}

/** What a mount holds, for gauges. Asked whenever metrics are collected. */
export interface MetricsSource {
  readonly stats: () => KitStats;
  readonly queues?: () => readonly QueueDepth[];
}

const OPERATION: Instrument = {
  name: names.OPERATION_DURATION,
  description: 'How long requests took, from their arrival to their answer',
  unit: 's',
};
const SESSION: Instrument = {
  name: names.SESSION_DURATION,
  description: 'How long sessions lasted that have ended',
  unit: 's',
};
const REFUSALS: Instrument = {
  name: 'longwire.server.refusals',
  description: 'Requests that were refused',
  unit: '{request}',
};
const ENDED: Instrument = {
  name: 'longwire.server.sessions.ended',
  description: 'Sessions that have ended, by the reason',
  unit: '{session}',
};

type Total<Stats = KitStats> = Omit<Instrument, 'name'> & { read: (stats: Stats) => number };

const TOTALS: Readonly<Record<string, Total>> = {
  'longwire.server.sessions': {
    description: 'Sessions that are open',
    unit: '{session}',
    read: ({ sessions }) => sessions,
  },
  'longwire.server.sessions.hibernating': {
    description: 'Sessions without a server instance',
    unit: '{session}',
    read: ({ hibernating }) => hibernating,
  },
  'longwire.server.streams': {
    description: 'Event streams that are open',
    unit: '{stream}',
    read: ({ streams }) => streams,
  },
  'longwire.server.calls': {
    description: 'Requests in flight',
    unit: '{request}',
    read: ({ callsInFlight }) => callsInFlight,
  },
  'longwire.server.streams.buffered': {
    description: 'What waits for the readers of streams',
    unit: 'By',
    read: ({ bufferedBytes }) => bufferedBytes,
  },
  'longwire.server.event_log.size': {
    description: 'What is kept so that streams can be resumed',
    unit: 'By',
    read: ({ eventLogBytes }) => eventLogBytes,
  },
};

/** What a node of a cluster does. */
const CLUSTER_TOTALS: Readonly<Record<string, Total<ClusterStats>>> = {
  'longwire.server.cluster.sessions.taken_over': {
    description: 'Sessions taken over from nodes that died, left or let them go',
    unit: '{session}',
    read: ({ takenOver }) => takenOver,
  },
  'longwire.server.cluster.sessions.let_go': {
    description: 'Sessions let go to other nodes',
    unit: '{session}',
    read: ({ letGo }) => letGo,
  },
  'longwire.server.cluster.sessions.lost': {
    description: 'Sessions that others took while this node could not be heard',
    unit: '{session}',
    read: ({ lost }) => lost,
  },
  'longwire.server.cluster.messages.sent': {
    description: 'Messages to other nodes',
    unit: '{message}',
    read: ({ messagesSent }) => messagesSent,
  },
  'longwire.server.cluster.messages.received': {
    description: 'Messages of other nodes',
    unit: '{message}',
    read: ({ messagesReceived }) => messagesReceived,
  },
  'longwire.server.cluster.away': {
    description: 'How long the store of the cluster could not be reached',
    unit: 's',
    read: ({ awayMs }) => awayMs / 1_000,
  },
};

/** The instruments of one registry or one meter, shared by the mounts that have it. */
export class MetricsHub {
  readonly operation: (series: Attributes) => (seconds: number) => void;
  readonly session: (series: Attributes) => (seconds: number) => void;
  readonly refusal: (series: Attributes) => () => void;
  readonly sessionEnded: (series: Attributes) => () => void;
  readonly #sources = new Set<MetricsSource>();
  readonly #runtime: { start(): void; stop(): void };

  constructor(sink: MetricsSink) {
    this.operation = sink.histogram(OPERATION);
    this.session = sink.histogram(SESSION);
    this.refusal = sink.counter(REFUSALS);
    this.sessionEnded = sink.counter(ENDED);
    for (const [name, { description, unit, read }] of Object.entries(TOTALS)) {
      sink.gauge({ name, description, unit }, () => [{ value: this.#sum(read) }]);
    }
    for (const [name, { description, unit, read }] of Object.entries(CLUSTER_TOTALS)) {
      sink.gauge({ name, description, unit }, () => this.#ofClusters(read));
    }
    for (const state of ['waiting', 'running'] as const) {
      sink.gauge(
        {
          name: `longwire.server.queue.${state}`,
          description: `Calls of heavy tools: ${state}`,
          unit: '{request}',
        },
        () => this.#depths(state),
      );
    }
    sink.gauge(
      {
        name: 'longwire.server.queue.workers',
        description: 'Calls of heavy tools that workers take at a time',
        unit: '{request}',
      },
      () => this.#depths('workers'),
    );
    this.#runtime = addRuntimeGauges(sink);
  }

  /** Counts a mount in; what it gives counts the mount out. */
  add(source: MetricsSource): () => void {
    if (this.#sources.size === 0) this.#runtime.start();
    this.#sources.add(source);
    return () => {
      if (this.#sources.delete(source) && this.#sources.size === 0) this.#runtime.stop();
    };
  }

  #sum(read: (stats: KitStats) => number): number {
    let sum = 0;
    for (const { stats } of this.#sources) sum += read(stats());
    return sum;
  }

  /** Of the mounts that are nodes; nothing where there is none. */
  #ofClusters(read: Total<ClusterStats>['read']): Reading[] {
    let value: number | undefined;
    for (const { stats } of this.#sources) {
      const { cluster } = stats();
      if (cluster !== undefined) value = (value ?? 0) + read(cluster);
    }
    return value === undefined ? [] : [{ value }];
  }

  #depths(state: 'waiting' | 'running' | 'workers'): Reading[] {
    const depths = new Map<string, number>();
    for (const { queues } of this.#sources) {
      for (const depth of queues?.() ?? []) {
        const value = depth[state];
        if (value !== undefined) depths.set(depth.queue, (depths.get(depth.queue) ?? 0) + value);
      }
    }
    return [...depths].map(([queue, value]) => ({ value, attributes: { [names.QUEUE]: queue } }));
  }
}
