import type { Attributes } from './attributes.js';

/** A metric, whoever keeps it. */
export interface Instrument {
  /** By OpenTelemetry's rules, such as `mcp.server.operation.duration`. */
  readonly name: string;
  readonly description: string;
  /** `s`, `By`, `1`, or what is counted in braces. */
  readonly unit: string;
}

/** A value of a gauge. */
export interface Reading {
  readonly value: number;
  readonly attributes?: Attributes;
}

/** What keeps metrics: a registry of Prometheus, or a meter of OpenTelemetry. */
export interface MetricsSink {
  /** What it gives records a duration of one series, in seconds. */
  histogram(instrument: Instrument): (series: Attributes) => (value: number) => void;
  /** What it gives counts one of one series. */
  counter(instrument: Instrument): (series: Attributes) => () => void;
  /** `read` is called whenever the values are asked for. */
  gauge(instrument: Instrument, read: () => readonly Reading[]): void;
}
