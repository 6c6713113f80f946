import { MAX_TIMER_MS, checkNames } from '../check-options.js';
import type { CallRecord } from './call-record.js';

/** A registry of prom-client, as far as it is used here: its types need the package. */
export interface PrometheusRegistry {
  readonly contentType: string;
  metrics(): Promise<string>;
  getSingleMetric(name: string): object | undefined;
}

/** A `Meter` of `@opentelemetry/api`, as far as it is used here. */
export interface OpenTelemetryMeter {
  createHistogram(name: string, options?: object): object;
  createCounter(name: string, options?: object): object;
  createObservableGauge(name: string, options?: object): object;
}

/** A `Tracer` of `@opentelemetry/api`, as far as it is used here. */
export interface OpenTelemetryTracer {
  startSpan(name: string, options?: object): object;
}

/** Where metrics go: to Prometheus, unless `otel` is given without any of the other two. */
export interface MetricsOptions {
  /** The registry of prom-client that holds them. Default: one of the application's own. */
  registry?: PrometheusRegistry;
  /** Where Prometheus reads them, on the application's root. Default: `/metrics`. */
  path?: string;
  /**
   * Records them with OpenTelemetry, too: with the meter `longwire` of the registered SDK, which has to
   * be registered before, or with this meter. Default: `false`.
   */
  otel?: boolean | OpenTelemetryMeter;
}

/** How requests are traced. */
export interface TracingOptions {
  /** Makes the spans. Default: the tracer `longwire` of the registered OpenTelemetry SDK. */
  tracer?: OpenTelemetryTracer;
}

/** What is written down of calls. */
export interface AuditOptions {
  /** Calls of tools, or every request. Default: `tools`. */
  methods?: 'tools' | 'all';
  /** Gets each record. Default: one line at `info`, with `event: 'call'`. */
  write?: (record: CallRecord) => void;
}

/** How a server stops. */
export interface StopOptions {
  /**
   * How long new connections and sessions are still taken after readiness has failed, in milliseconds,
   * because load balancers learn of it late. Default: 5 000.
   */
  delayMs?: number;
  /** How long calls in flight may take after that, in milliseconds; then they are cancelled. Default: 30 000. */
  graceMs?: number;
}

/** The options of this room, as they are given to the plugin. */
export interface OperateOptions {
  /** Serves `/healthz` and `/readyz` on the application's root. Default: `true`. */
  health?: boolean;
  /** Keeps metrics. They name the tools and are open to whoever reaches the path. Default: `false`. */
  metrics?: boolean | MetricsOptions;
  /** Makes a span of every request, with OpenTelemetry. Default: `false`. */
  tracing?: boolean | TracingOptions;
  /** Writes down every call of a tool. A function gets the records. Default: `true`. */
  audit?: boolean | AuditOptions | ((record: CallRecord) => void);
  /** How the server stops. */
  stop?: StopOptions;
}

/** Every option of this room, checked and filled in. */
export interface ResolvedOperateOptions {
  readonly health: boolean;
  readonly metrics: MetricsOptions | undefined;
  readonly tracing: TracingOptions | undefined;
  readonly audit: AuditOptions | undefined;
  readonly stop: Required<StopOptions>;
}

/**
 * Checks the options of this room and fills in the defaults.
 *
 * @throws TypeError that names the wrong option.
 */
export function resolveOperateOptions(options: OperateOptions): ResolvedOperateOptions {
  const { health = true, metrics = false, tracing = false, audit = true, stop = {} } = options;
  if (typeof health !== 'boolean') throw new TypeError('health must be true or false');
  return {
    health,
    metrics: checkMetrics(switched('metrics', metrics, ['registry', 'path', 'otel'])),
    tracing: checkTracing(switched('tracing', tracing, ['tracer'])),
    audit:
      typeof audit === 'function'
        ? { write: audit }
        : checkAudit(switched('audit', audit, ['methods', 'write'])),
    stop: checkStop(stop),
  };
}

/** `true` is an object without any member, `false` is none. */
function switched<Options extends object>(
  name: string,
  given: boolean | Options,
  members: readonly (keyof Options & string)[],
): Options | undefined {
  if (given === false) return undefined;
  if (given === true) return {} as Options;
  checkMembers(name, given, members);
  return given;
}

function checkMembers(name: string, given: unknown, members: readonly string[]): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new TypeError(`${name} must be true, false or an object with ${members.join(', ')}`);
  }
  for (const member of Object.keys(given)) {
    if (!members.includes(member)) {
      throw new TypeError(
        `${name}.${member} is not an option; there are ${members.map((one) => `${name}.${one}`).join(', ')}`,
      );
    }
  }
}

function checkMetrics(metrics: MetricsOptions | undefined): MetricsOptions | undefined {
  if (metrics === undefined) return undefined;
  const { registry, path, otel } = metrics;
  if (registry !== undefined && typeof registry.getSingleMetric !== 'function') {
    throw new TypeError('metrics.registry must be a Registry of prom-client');
  }
  if (path !== undefined && (typeof path !== 'string' || !path.startsWith('/'))) {
    throw new TypeError('metrics.path must be a path, such as /metrics');
  }
  if (
    otel !== undefined &&
    typeof otel !== 'boolean' &&
    typeof otel.createHistogram !== 'function'
  ) {
    throw new TypeError('metrics.otel must be true, false or a Meter of OpenTelemetry');
  }
  return metrics;
}

function checkTracing(tracing: TracingOptions | undefined): TracingOptions | undefined {
  if (tracing?.tracer !== undefined && typeof tracing.tracer.startSpan !== 'function') {
    throw new TypeError('tracing.tracer must be a Tracer of OpenTelemetry');
  }
  return tracing;
}

function checkAudit(audit: AuditOptions | undefined): AuditOptions | undefined {
  if (audit?.methods !== undefined && audit.methods !== 'tools' && audit.methods !== 'all') {
    throw new TypeError("audit.methods must be 'tools' or 'all'");
  }
  if (audit?.write !== undefined && typeof audit.write !== 'function') {
    throw new TypeError('audit.write must be a function');
  }
  return audit;
}

function checkStop(stop: StopOptions): Required<StopOptions> {
  checkNames('stop', stop, ['delayMs', 'graceMs']);
  const { delayMs = 5_000, graceMs = 30_000 } = stop;
  for (const [name, value] of Object.entries({ delayMs, graceMs })) {
    if (typeof value !== 'number' || !(value >= 0 && value <= MAX_TIMER_MS)) {
      throw new TypeError(`stop.${name} must be from 0 to ${MAX_TIMER_MS} milliseconds`);
    }
  }
  return { delayMs, graceMs };
}
