import type { Registry } from 'prom-client';
import type { Attributes } from './attributes.js';
import type { Instrument, MetricsSink } from './metrics-sink.js';
import * as names from './names.js';

/** Every attribute that a series of ours may have. */
const LABELS: readonly string[] = [
  names.METHOD,
  names.OPERATION,
  names.TOOL,
  names.PROMPT,
  names.PROTOCOL_VERSION,
  names.NETWORK_TRANSPORT,
  names.NETWORK_PROTOCOL,
  names.NETWORK_PROTOCOL_VERSION,
  names.ERROR_TYPE,
  names.ERROR_CODE,
  names.HTTP_STATUS,
  names.HEAP_SPACE,
  names.REASON,
  names.QUEUE,
].map(labelOf);

/**
 * Keeps metrics in a registry of prom-client, under the names that OpenTelemetry's rules give them in
 * Prometheus: `mcp_server_operation_duration_seconds`.
 *
 * @see https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
 */
export function prometheusSink(
  { Counter, Gauge, Histogram }: typeof import('prom-client'),
  registry: Registry,
): MetricsSink {
  const registers = [registry];
  const labelNames = [...LABELS];
  return {
    histogram(instrument) {
      const histogram = new Histogram({
        name: nameOf(instrument),
        help: instrument.description,
        labelNames,
        buckets: [...names.DURATION_BUCKETS],
        registers,
      });
      return (series) => {
        const kept = histogram.labels(labelsOf(series));
        return (value) => kept.observe(value);
      };
    },
    counter(instrument) {
      const counter = new Counter({
        name: `${nameOf(instrument)}_total`,
        help: instrument.description,
        labelNames,
        registers,
      });
      return (series) => {
        const kept = counter.labels(labelsOf(series));
        return () => kept.inc();
      };
    },
    gauge(instrument, read) {
      new Gauge({
        name: nameOf(instrument),
        help: instrument.description,
        labelNames,
        registers,
        collect() {
          this.reset();
          for (const { value, attributes = {} } of read()) this.set(labelsOf(attributes), value);
        },
      });
    },
  };
}

const UNITS: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes', '1': '_ratio' };

function nameOf({ name, unit }: Instrument): string {
  return `${labelOf(name)}${UNITS[unit] ?? ''}`;
}

function labelOf(name: string): string {
  return name.replaceAll('.', '_');
}

function labelsOf(attributes: Attributes): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [labelOf(name), value]),
  );
}
