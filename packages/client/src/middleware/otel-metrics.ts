import { metrics as api, type Meter } from '@opentelemetry/api';
import { checkOptions, withDefaults, type OptionTable } from '../options/option.js';
import { Instruments } from '../telemetry/instruments.js';
import { openTelemetrySink } from '../telemetry/opentelemetry.js';
import { recordWith, type ClientMetrics } from '../telemetry/recorder.js';
import { VERSION } from '../version.js';

export type { ClientMetrics, MetricsSeries } from '../telemetry/recorder.js';
export type { Observed } from '../telemetry/sources.js';

/** Options of {@link otelMetrics}. */
export interface OtelMetricsOptions {
  /**
   * Makes the instruments. Default: the meter `longwire` of the registered OpenTelemetry SDK, which has
   * to be registered before.
   */
  meter?: Meter;
  /** How many tools have a label of their own; all others are `_OTHER`. Default 100. */
  maxTools?: number;
  /** Whether sizes are measured. Default `true`. */
  sizes?: boolean;
}

/** Every option of otelMetrics. */
export const OTEL_METRICS: OptionTable<OtelMetricsOptions, 'maxTools' | 'sizes'> = {
  meter: {
    kind: 'other',
    otherwise:
      'the meter `longwire` of the registered OpenTelemetry SDK, which has to be registered before',
  },
  maxTools: { kind: 'whole', default: 100 },
  sizes: { kind: 'flag', default: true },
};

/** The instruments of each meter. */
const made = new WeakMap<Meter, Instruments>();

/**
 * Records the program's requests with OpenTelemetry: `mcp.client.operation.duration` and all else that
 * `metrics` records for Prometheus, under the names and with the attributes of the conventions for MCP.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/
 * @throws TypeError that names a wrong option.
 */
export function otelMetrics(options: OtelMetricsOptions = {}): ClientMetrics {
  checkOptions(options, OTEL_METRICS, 'otelMetrics');
  const { meter = api.getMeter('longwire', VERSION), ...rest } = withDefaults(
    OTEL_METRICS,
    options,
  );
  if (typeof meter?.createHistogram !== 'function') {
    throw new TypeError('otelMetrics.meter: not a Meter of OpenTelemetry');
  }
  let instruments = made.get(meter);
  if (instruments === undefined) {
    made.set(meter, (instruments = new Instruments(openTelemetrySink(meter))));
  }
  return recordWith(instruments, rest);
}
