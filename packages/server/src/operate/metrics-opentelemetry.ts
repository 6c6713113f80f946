import type { Meter } from '@opentelemetry/api';
import type { MetricsSink } from './metrics-sink.js';
import { DURATION_BUCKETS } from './names.js';

/** Keeps metrics with OpenTelemetry. */
export function openTelemetrySink(meter: Meter): MetricsSink {
  return {
    histogram({ name, description, unit }) {
      const advice = { explicitBucketBoundaries: [...DURATION_BUCKETS] };
      const histogram = meter.createHistogram(name, { description, unit, advice });
      return (series) => (value) => histogram.record(value, series);
    },
    counter({ name, description, unit }) {
      const counter = meter.createCounter(name, { description, unit });
      return (series) => () => counter.add(1, series);
    },
    gauge({ name, description, unit }, read) {
      meter.createObservableGauge(name, { description, unit }).addCallback((observed) => {
        for (const { value, attributes } of read()) observed.observe(value, attributes);
      });
    },
  };
}
