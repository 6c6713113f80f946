import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** How many tools have latencies of their own; a program may well make names up. */
const MAX_TOOLS = 1000;
/** Where those of all further tools go. No tool can be called that. */
export const OTHER_TOOLS = '(other)';
/** One hour in microseconds; what takes longer counts as that. */
const MAX_US = 3_600_000_000;

/** Figures of a latency: within 1 %, in 26 KB a tool; or within 10 %, in 4 KB. */
export const FINE = 2;
export const COARSE = 1;

/**
 * How long the calls of one tool took that brought a result, in milliseconds, within 1 %; those of one
 * principal within 10 %.
 */
export interface ToolLatency {
  /** How many brought a result. */
  calls: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
}

/** The latencies of calls by tool, in histograms of a fixed size. */
export class Latencies {
  readonly #byTool = new Map<string, RecordableHistogram>();
  readonly #figures: number;

  constructor(figures: number = FINE) {
    this.#figures = figures;
  }

  record(tool: string, ms: number): void {
    const histogram = this.#byTool.get(tool) ?? this.#histogramFor(tool);
    histogram.record(Math.min(Math.max(1, Math.round(ms * 1000)), MAX_US));
  }

  read(): Record<string, ToolLatency> {
    return Object.fromEntries(
      [...this.#byTool].map(([tool, histogram]) => [tool, latencyOf(histogram)]),
    );
  }

  #histogramFor(tool: string): RecordableHistogram {
    const name = this.#byTool.size < MAX_TOOLS ? tool : OTHER_TOOLS;
    let histogram = this.#byTool.get(name);
    if (histogram === undefined) {
      histogram = createHistogram({ lowest: 1, highest: MAX_US, figures: this.#figures });
      this.#byTool.set(name, histogram);
    }
    return histogram;
  }
}

function latencyOf(histogram: RecordableHistogram): ToolLatency {
  return {
    calls: histogram.count,
    p50Ms: histogram.percentile(50) / 1000,
    p95Ms: histogram.percentile(95) / 1000,
    p99Ms: histogram.percentile(99) / 1000,
  };
}
