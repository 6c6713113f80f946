import type { McpRequest, McpResponse, Middleware } from '../middleware/contract.js';
import { jsonBytes } from '../middleware/json-size.js';
import type { Instruments } from './instruments.js';
import { SeriesTable, Way, type MetricsSeries } from './series-table.js';
import type { Observed } from './sources.js';

export type { MetricsSeries } from './series-table.js';

/** What is recorded, wherever it is kept. */
export interface RecordOptions {
  /** How many tools have a label of their own; all others are `_OTHER`. Default 100. */
  maxTools: number;
  /** Whether sizes are measured. Default `true`. */
  sizes: boolean;
}

/** A middleware that records requests, and observes what they are made on. */
export interface ClientMetrics extends Middleware {
  /**
   * Adds what a client, a pool or a group says of itself whenever metrics are collected: whether it is
   * up, how often it reconnected, what is in flight and waits, connections of a pool; how long its
   * sessions lasted; of a `cache()`, its hits and what it holds. A server that leaves its group is no
   * longer there.
   *
   * @returns a function that stops it.
   * @throws TypeError for what is none of these.
   */
  observe(source: Observed): () => void;
  /** The figures of this middleware, as plain objects. */
  snapshot(): MetricsSeries[];
}

/** Records with some instruments. */
export function recordWith(
  instruments: Instruments,
  { maxTools, sizes }: RecordOptions,
): ClientMetrics {
  const table = new SeriesTable(instruments, { maxTools, sizes });
  /** How each client last sent a request: one whose connection is lost has no route any more. */
  const ways = new WeakMap<object, Way>();

  const wayOf = (request: McpRequest): Way => {
    const { client } = request;
    const before = ways.get(client);
    if (before?.isOf(request) === true) return before;
    const way = new Way(request);
    ways.set(client, way);
    return way;
  };
  const middleware: Middleware = async (request, next) => {
    if (request.internal) return next();
    const startedAt = performance.now();
    const requestBytes = sizes ? jsonBytes(request.params) : 0;
    let response: McpResponse;
    try {
      response = await next();
    } catch (error) {
      const series = table.failed(request, error, wayOf(request));
      series.add(performance.now() - startedAt, requestBytes, undefined);
      throw error;
    }
    const responseBytes = sizes ? jsonBytes(response.result) : 0;
    const series = table.answered(request, response, wayOf(request));
    series.add(performance.now() - startedAt, requestBytes, responseBytes);
    return response;
  };
  return Object.assign(middleware, {
    addsNoIdentity: true,
    observe: (source: Observed) => instruments.observe(source),
    snapshot: () => table.snapshot(),
  });
}
