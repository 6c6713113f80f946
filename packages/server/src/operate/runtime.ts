import { monitorEventLoopDelay, performance, type EventLoopUtilization } from 'node:perf_hooks';
import { getHeapSpaceStatistics } from 'node:v8';
import type { Instrument, MetricsSink, Reading } from './metrics-sink.js';
import * as names from './names.js';

/** How often the delay is measured, as OpenTelemetry's own instrumentation of Node does. */
const RESOLUTION_MS = 10;
/** Readings of one collection come within this. */
const SAME_COLLECTION_MS = 500;

interface LoopReading {
  readonly at: number;
  /** In seconds. */
  readonly delay: Readonly<Record<'mean' | 'max' | 'p50' | 'p90' | 'p99', number>>;
  readonly utilization: number;
}

/** Measures the event loop from one collection of metrics to the next. */
class EventLoopMonitor {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #utilization: EventLoopUtilization = performance.eventLoopUtilization();
  #last: LoopReading | undefined;

  start(): void {
    this.#delay.enable();
  }

  stop(): void {
    this.#delay.disable();
  }

  read(): LoopReading {
    const at = performance.now();
    if (this.#last !== undefined && at - this.#last.at < SAME_COLLECTION_MS) return this.#last;
    const utilization = performance.eventLoopUtilization();
    const secondsAt = (percentile: number): number => this.#delay.percentile(percentile) / 1e9;
    this.#last = {
      at,
      delay: {
        // Without a measurement Node gives NaN, and a maximum of 0.
        mean: (this.#delay.mean || 0) / 1e9,
        max: this.#delay.max / 1e9,
        p50: secondsAt(50),
        p90: secondsAt(90),
        p99: secondsAt(99),
      },
      utilization: performance.eventLoopUtilization(utilization, this.#utilization).utilization,
    };
    this.#utilization = utilization;
    this.#delay.reset();
    return this.#last;
  }
}

/**
 * Adds the gauges of the process: heap and event loop, by the names of the semantic conventions for
 * Node and V8.
 *
 * @returns what starts and stops the measurement.
 */
export function addRuntimeGauges(sink: MetricsSink): { start(): void; stop(): void } {
  const loop = new EventLoopMonitor();
  for (const figure of ['mean', 'max', 'p50', 'p90', 'p99'] as const) {
    sink.gauge(
      {
        name: `${names.LOOP_DELAY}.${figure}`,
        description: `Event loop delay since the last collection: ${figure}`,
        unit: 's',
      },
      () => [{ value: loop.read().delay[figure] }],
    );
  }
  sink.gauge(UTILIZATION, () => [{ value: loop.read().utilization }]);
  sink.gauge(HEAP, heapReadings);
  return loop;
}

const UTILIZATION: Instrument = {
  name: names.LOOP_UTILIZATION,
  description: 'Part of the time that the event loop was busy since the last collection',
  unit: '1',
};

const HEAP: Instrument = {
  name: names.HEAP_USED,
  description: 'Heap that is in use, by space',
  unit: 'By',
};

function heapReadings(): Reading[] {
  return getHeapSpaceStatistics().map(({ space_name, space_used_size }) => ({
    value: space_used_size,
    attributes: { [names.HEAP_SPACE]: space_name },
  }));
}
