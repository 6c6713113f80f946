import { Counter, Histogram, Registry } from 'prom-client';
import type { Middleware } from './contract.js';
import { jsonBytes } from './json-size.js';
import { outcomeOf, outcomeOfError, type Outcome } from './outcome.js';
import { toolOf } from './tools.js';
import { checkText } from '../options/checks.js';
import { checkOptions, withDefaults, type OptionTable } from '../options/option.js';

/** Options of {@link metrics}. */
export interface MetricsOptions {
  /** Where the figures are kept, for programs that have a registry. Default: one of its own. */
  registry?: Registry;
  /** The label `server`, which distinguishes clients that share a registry. Default: none. */
  server?: string;
  /** How many tools have a label of their own; all others are `other`. Default 100. */
  maxTools?: number;
  /** Whether sizes are measured. Default `true`. */
  sizes?: boolean;
}

/** Every option of metrics. */
export const METRICS: OptionTable<MetricsOptions, 'maxTools' | 'sizes'> = {
  registry: { kind: 'other', otherwise: 'one of its own' },
  // An empty one is none.
  server: { kind: 'other', otherwise: 'none' },
  maxTools: { kind: 'whole', default: 100 },
  sizes: { kind: 'flag', default: true },
};

/** The figures of the requests of one method, tool and outcome. */
export interface MetricsSeries {
  method: string;
  /** Of calls. */
  tool?: string;
  outcome: Outcome;
  /** How many there were. */
  count: number;
  /** How long they took, all together and the longest, in milliseconds. */
  durationMs: { total: number; max: number };
  /** How large their params and results were as JSON, all together, about. */
  requestBytes: number;
  responseBytes: number;
}

/** The middleware that {@link metrics} makes. */
export interface Metrics extends Middleware {
  /** Where the figures are kept. */
  readonly registry: Registry;
  /** All of the registry in the format of Prometheus. */
  text(): Promise<string>;
  /** The figures of this middleware, as plain objects. */
  snapshot(): MetricsSeries[];
}

const LABELS = ['server', 'method', 'tool', 'outcome'] as const;
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const BYTES = [100, 1000, 10_000, 100_000, 1_000_000, 10_000_000];
const OTHER = 'other';
/** A program may ask for any method. */
const MAX_METHODS = 50;

/**
 * Counts the program's requests by method, tool and outcome, with how long they took and how large
 * they were: `longwire_requests_total`, `longwire_request_duration_seconds`,
 * `longwire_request_size_bytes` and `longwire_response_size_bytes`. Sizes are those of params and
 * result as JSON, about. The connection's own requests (handshakes, pings) are not counted.
 *
 * @throws TypeError that names a wrong option.
 */
export function metrics(options: MetricsOptions = {}): Metrics {
  checkOptions(options, METRICS, 'metrics');
  const { registry = new Registry(), server = '', ...rest } = withDefaults(METRICS, options);
  const { maxTools, sizes } = rest;
  if (typeof registry?.getSingleMetric !== 'function') {
    throw new TypeError('metrics.registry: not a Registry of prom-client');
  }
  if (server !== '') checkText('metrics.server', server);
  const record = recorder(registry, server, sizes);
  const series = new Map<string, Recorded>();
  const toolLabel = limited(maxTools);
  const methodLabel = limited(MAX_METHODS);

  /** Counters are looked up once: their labels cost more than all else here. */
  const seriesOf = (method: string, tool: string | undefined, outcome: Outcome): Recorded => {
    const key = `${outcome}\n${method}\n${tool ?? ''}`;
    let found = series.get(key);
    if (found === undefined) series.set(key, (found = record(method, tool, outcome)));
    return found;
  };

  const middleware: Middleware = async (request, next) => {
    if (request.internal) return next();
    const startedAt = performance.now();
    const called = toolOf(request);
    const method = methodLabel(request.method);
    const tool = called === undefined ? undefined : toolLabel(called);
    const requestBytes = sizes ? jsonBytes(request.params) : 0;
    try {
      const response = await next();
      const responseBytes = sizes ? jsonBytes(response.result) : 0;
      const ended = seriesOf(method, tool, outcomeOf(response));
      ended.add(performance.now() - startedAt, requestBytes, responseBytes);
      return response;
    } catch (error) {
      const ended = seriesOf(method, tool, outcomeOfError(error));
      ended.add(performance.now() - startedAt, requestBytes, undefined);
      throw error;
    }
  };
  return Object.assign(middleware, {
    addsNoIdentity: true,
    registry,
    text: () => registry.metrics(),
    snapshot: () => [...series.values()].map(({ figures }) => structuredClone(figures)),
  });
}

/** One series: its plain figures, and how to add to them and to the registry's. */
interface Recorded {
  readonly figures: MetricsSeries;
  add(ms: number, requestBytes: number, responseBytes: number | undefined): void;
}

function recorder(
  registry: Registry,
  server: string,
  sizes: boolean,
): (method: string, tool: string | undefined, outcome: Outcome) => Recorded {
  const requests = counter(registry, 'longwire_requests_total', 'Requests that have settled.');
  const seconds = histogram(
    registry,
    'longwire_request_duration_seconds',
    'How long requests took.',
    SECONDS,
  );
  const sent = histogram(
    registry,
    'longwire_request_size_bytes',
    'How large params were as JSON, about.',
    BYTES,
  );
  const received = histogram(
    registry,
    'longwire_response_size_bytes',
    'How large results were as JSON, about.',
    BYTES,
  );
  return (method, tool, outcome) => {
    const labels = { server, method, tool: tool ?? '', outcome };
    const [request, second] = [requests.labels(labels), seconds.labels(labels)];
    const [sentSize, receivedSize] = sizes ? [sent.labels(labels), received.labels(labels)] : [];
    const figures: MetricsSeries = {
      method,
      ...(tool !== undefined && { tool }),
      outcome,
      count: 0,
      durationMs: { total: 0, max: 0 },
      requestBytes: 0,
      responseBytes: 0,
    };
    return {
      figures,
      add: (ms, requestBytes, responseBytes) => {
        figures.count++;
        figures.durationMs.total += ms;
        figures.durationMs.max = Math.max(figures.durationMs.max, ms);
        figures.requestBytes += requestBytes;
        figures.responseBytes += responseBytes ?? 0;
        request.inc();
        second.observe(ms / 1000);
        sentSize?.observe(requestBytes);
        if (responseBytes !== undefined) receivedSize?.observe(responseBytes);
      },
    };
  };
}

type Label = (typeof LABELS)[number];

/** Another client may have put it into the registry already. */
function counter(registry: Registry, name: string, help: string): Counter<Label> {
  const present = registry.getSingleMetric(name) as Counter<Label> | undefined;
  return present ?? new Counter({ name, help, labelNames: LABELS, registers: [registry] });
}

function histogram(
  registry: Registry,
  name: string,
  help: string,
  buckets: number[],
): Histogram<Label> {
  const present = registry.getSingleMetric(name) as Histogram<Label> | undefined;
  const registers = [registry];
  return present ?? new Histogram({ name, help, labelNames: LABELS, buckets, registers });
}

/** Gives every name a label of its own, up to a number of them. */
function limited(max: number): (name: string) => string {
  const known = new Set<string>();
  return (name) => {
    if (!known.has(name)) {
      if (known.size >= max) return OTHER;
      known.add(name);
    }
    return name;
  };
}
