import type { Meter } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import type { CallGate } from '../calls/call.js';
import type { Refusal } from '../refusal.js';
import { OVER_HTTP } from './attributes.js';
import { loadPeer } from './load-peer.js';
import { MetricsHub, type MetricsSource } from './metrics-hub.js';
import { openTelemetrySink } from './metrics-opentelemetry.js';
import { prometheusSink } from './metrics-prometheus.js';
import * as names from './names.js';
import type { KitObserver } from './observer.js';
import type { MetricsOptions } from './options.js';
import { CallSeries } from './series.js';

/** What keeps the metrics of one mount. */
export interface Metrics {
  readonly gate: CallGate;
  readonly observer: KitObserver;
}

/** The instruments of each registry and each meter: a name is taken once. */
const hubs = new WeakMap<object, MetricsHub>();
/** The registry of each application that gave none. */
const registries = new WeakMap<object, Registry>();

/**
 * Keeps metrics of a mount, and serves them on the application's root where Prometheus reads them. Mounts
 * that share a registry are counted together.
 *
 * @throws Error where prom-client or `@opentelemetry/api` is needed and not installed.
 */
export async function createMetrics(
  app: FastifyInstance,
  options: MetricsOptions,
  source: MetricsSource,
): Promise<Metrics> {
  const { otel = false, registry, path } = options;
  const used: MetricsHub[] = [];
  if (otel !== false) used.push(hubOfMeter(await meterOf(otel)));
  if (otel === false || registry !== undefined || path !== undefined) {
    used.push(await servePrometheus(app, options));
  }
  const removers = used.map((hub) => hub.add(source));
  app.addHook('onClose', async () => {
    for (const remove of removers) remove();
  });
  return record(used);
}

async function servePrometheus(
  app: FastifyInstance,
  { registry: given, path: url = '/metrics' }: MetricsOptions,
): Promise<MetricsHub> {
  const prometheus = await loadPeer('prom-client', 'metrics', () => import('prom-client'));
  const { server } = app;
  const registry =
    (given as Registry | undefined) ?? registries.get(server) ?? new prometheus.Registry();
  if (given === undefined) registries.set(server, registry);
  // Another mount of the application may serve it already.
  if (!app.hasRoute({ method: 'GET', url })) {
    app.get(url, { logLevel: 'warn', config: { rateLimit: false } }, async (_request, reply) =>
      reply
        .header('content-type', registry.contentType)
        .header('cache-control', 'no-store')
        .send(await registry.metrics()),
    );
  }
  let hub = hubs.get(registry);
  if (hub === undefined) {
    hubs.set(registry, (hub = new MetricsHub(prometheusSink(prometheus, registry))));
  }
  return hub;
}

async function meterOf(otel: Exclude<MetricsOptions['otel'], false | undefined>): Promise<Meter> {
  if (otel !== true) return otel as Meter;
  const api = await loadPeer(
    '@opentelemetry/api',
    'metrics.otel',
    () => import('@opentelemetry/api'),
  );
  return api.metrics.getMeter('longwire');
}

function hubOfMeter(meter: Meter): MetricsHub {
  let hub = hubs.get(meter);
  if (hub === undefined) hubs.set(meter, (hub = new MetricsHub(openTelemetrySink(meter))));
  return hub;
}

function record(used: readonly MetricsHub[]): Metrics {
  const calls = new CallSeries((series) => {
    const kept = used.map((hub) => hub.operation(series));
    return (seconds: number): void => {
      for (const observe of kept) observe(seconds);
    };
  });
  const refused = ({ status, reason = names.OTHER }: Refusal): void => {
    const series = { [names.HTTP_STATUS]: status, [names.REASON]: reason };
    for (const hub of used) hub.refusal(series)();
  };
  return {
    gate: {
      leave(call, outcome) {
        calls.of(call, outcome)((performance.now() - call.receivedAt) / 1000);
        if (outcome.kind === 'refused') refused(outcome.refusal);
      },
    },
    observer: {
      sessionEnded({ protocolVersion }, { reason, durationMs }) {
        const version = calls.version(protocolVersion);
        const series = {
          ...(version !== undefined && { [names.PROTOCOL_VERSION]: version }),
          ...OVER_HTTP,
          ...(reason === 'failed' && { [names.ERROR_TYPE]: reason }),
        };
        for (const hub of used) {
          hub.session(series)(durationMs / 1000);
          hub.sessionEnded({ [names.REASON]: reason })();
        }
      },
      requestRefused: refused,
    },
  };
}
