import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Attributes } from './attributes.js';
import type { Instrument, MetricsSink, Reading } from './sink.js';

/**
 * Keeps metrics in a registry of prom-client, under the names that OpenTelemetry's rules give them in
 * Prometheus: `mcp_client_operation_duration_seconds`.
 *
 * @see https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
 */
export function prometheusSink(registry: Registry): MetricsSink {
  const optionsOf = ({ description: help, attributes }: Instrument) => ({
    help,
    labelNames: attributes.map(labelOf),
    registers: [registry],
  });
  return {
    histogram(instrument, buckets) {
      const histogram = new Histogram({
        ...optionsOf(instrument),
        name: nameOf(instrument),
        buckets: [...buckets],
      });
      return (series) => {
        const kept = histogram.labels(labelsOf(series));
        return (value) => kept.observe(value);
      };
    },
    gauge(instrument, read) {
      new Gauge({
        ...optionsOf(instrument),
        name: nameOf(instrument),
        collect() {
          this.reset();
          forEach(read(), (labels, value) => this.set(labels, value));
        },
      });
    },
    counter(instrument, read) {
      new Counter({
        ...optionsOf(instrument),
        name: `${nameOf(instrument)}_total`,
        collect() {
          this.reset();
          forEach(read(), (labels, value) => this.inc(labels, value));
        },
      });
    },
  };
}

/** The name in Prometheus of a metric that is counted in a unit. */
export function nameOf({ name, unit }: Pick<Instrument, 'name' | 'unit'>): string {
  return `${labelOf(name)}${unit === 's' ? '_seconds' : unit === 'By' ? '_bytes' : ''}`;
}

function forEach(
  readings: readonly Reading[],
  set: (labels: Record<string, string | number>, value: number) => void,
): void {
  for (const { value, attributes } of readings) set(labelsOf(attributes), value);
}

function labelOf(name: string): string {
  return name.replaceAll('.', '_');
}

function labelsOf(attributes: Attributes): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [labelOf(name), value]),
  );
}
