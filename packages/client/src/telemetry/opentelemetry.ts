import type { Meter, ObservableResult } from '@opentelemetry/api';
import type { MetricsSink, Reading } from './sink.js';

/** Keeps metrics with OpenTelemetry. */
export function openTelemetrySink(meter: Meter): MetricsSink {
  const observing =
    (read: () => readonly Reading[]) =>
    (observed: ObservableResult): void => {
      for (const { value, attributes } of read()) observed.observe(value, attributes);
    };
  return {
    histogram({ name, description, unit }, buckets) {
      const advice = { explicitBucketBoundaries: [...buckets] };
      const histogram = meter.createHistogram(name, { description, unit, advice });
      return (series) => (value) => histogram.record(value, series);
    },
    gauge({ name, description, unit }, read) {
      meter.createObservableGauge(name, { description, unit }).addCallback(observing(read));
    },
    counter({ name, description, unit }, read) {
      meter.createObservableCounter(name, { description, unit }).addCallback(observing(read));
    },
  };
}
