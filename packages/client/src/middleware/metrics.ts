import { Registry } from 'prom-client';
import { checkOptions, withDefaults, type OptionTable } from '../options/option.js';
import { Instruments, OPERATION } from '../telemetry/instruments.js';
import { nameOf, prometheusSink } from '../telemetry/prometheus.js';
import { recordWith, type ClientMetrics } from '../telemetry/recorder.js';

export type { ClientMetrics, MetricsSeries } from '../telemetry/recorder.js';
export type { Observed } from '../telemetry/sources.js';

/** Options of {@link metrics}. */
export interface MetricsOptions {
  /** Where the figures are kept, for programs that have a registry. Default: one of its own. */
  registry?: Registry;
  /** How many tools have a label of their own; all others are `_OTHER`. Default 100. */
  maxTools?: number;
  /** Whether sizes are measured. Default `true`. */
  sizes?: boolean;
}

/** Every option of metrics. */
export const METRICS: OptionTable<MetricsOptions, 'maxTools' | 'sizes'> = {
  registry: { kind: 'other', otherwise: 'one of its own' },
  maxTools: { kind: 'whole', default: 100 },
  sizes: { kind: 'flag', default: true },
};

/** The middleware that {@link metrics} makes. */
export interface Metrics extends ClientMetrics {
  /** Where the figures are kept. */
  readonly registry: Registry;
  /** All of the registry in the format of Prometheus. */
  text(): Promise<string>;
}

/** The instruments of each registry. */
const made = new WeakMap<Registry, Instruments>();

/**
 * Records the program's requests for Prometheus, under the names of OpenTelemetry's conventions for MCP:
 * `mcp_client_operation_duration_seconds` by server, method, tool, error and certainty. Sizes,
 * `longwire_client_request_size_bytes` and `longwire_client_response_size_bytes`, are those of params and
 * result as JSON, about. The connection's own requests (handshakes, pings) are not counted. With
 * `observe` there are gauges of clients, pools, groups and caches.
 *
 * A tool, a prompt or a method has a label of its own when a server has listed it, or answered without
 * an error; before that it is `_OTHER`. Clients may share a registry, and a middleware.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/
 * @throws TypeError that names a wrong option.
 */
export function metrics(options: MetricsOptions = {}): Metrics {
  checkOptions(options, METRICS, 'metrics');
  const { registry = new Registry(), ...rest } = withDefaults(METRICS, options);
  if (typeof registry?.getSingleMetric !== 'function') {
    throw new TypeError('metrics.registry: not a Registry of prom-client');
  }
  return Object.assign(recordWith(instrumentsOf(registry), rest), {
    registry,
    text: () => registry.metrics(),
  });
}

/** A program may clear its registry. */
function instrumentsOf(registry: Registry): Instruments {
  const present = made.get(registry);
  if (present !== undefined && registry.getSingleMetric(nameOf(OPERATION)) !== undefined) {
    return present;
  }
  const instruments = new Instruments(prometheusSink(registry));
  made.set(registry, instruments);
  return instruments;
}
