import type { Attributes } from './attributes.js';

/** A metric, whoever keeps it. */
export interface Instrument {
  /** By OpenTelemetry's rules, such as `mcp.client.operation.duration`. */
  readonly name: string;
  readonly description: string;
  /** `s`, `By`, or what is counted in braces. */
  readonly unit: string;
  /** The attributes that its series may have. Each costs a little whenever a value is recorded. */
  readonly attributes: readonly string[];
}

/** A value that is read when it is asked for. */
export interface Reading {
  readonly value: number;
  readonly attributes: Attributes;
}

/** What keeps metrics: a registry of Prometheus, or a meter of OpenTelemetry. */
export interface MetricsSink {
  /** What it gives records a value of one series. */
  histogram(
    instrument: Instrument,
    buckets: readonly number[],
  ): (series: Attributes) => (value: number) => void;
  /** `read` is called whenever the values are asked for. */
  gauge(instrument: Instrument, read: () => readonly Reading[]): void;
  /** A gauge that only rises. */
  counter(instrument: Instrument, read: () => readonly Reading[]): void;
}
