import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import Fastify from 'fastify';
import parsePrometheus from 'parse-prometheus-text-format';
import { Counter, Registry } from 'prom-client';
import { request } from 'undici';
import { describe, expect, it } from 'vitest';
import { loadPeer } from '../../src/operate/load-peer.ts';
import type { MetricsSource } from '../../src/operate/metrics-hub.ts';
import { createMetrics } from '../../src/operate/metrics.ts';
import type { MetricsOptions } from '../../src/operate/options.ts';
import { listening } from '../fixture.ts';
import { NO_SUCH_TOOL, OK, REFUSED, TOOL_ERROR, callOf, listed, pass } from './calls.ts';

const SOURCE: MetricsSource = {
  stats: () => ({
    sessions: 3,
    hibernating: 2,
    streams: 1,
    callsInFlight: 4,
    bufferedBytes: 1_000,
    eventLogBytes: 2_000,
  }),
  queues: () => [{ queue: 'render_*', waiting: 5, running: 2 }],
};

/** A mount whose metrics can be read. */
async function mount(options: MetricsOptions = {}, app = Fastify()) {
  const metrics = await createMetrics(app, options, { ...SOURCE });
  return { app, ...metrics };
}

/** What Prometheus would read, by the name of the metric. */
async function scrape(url: string, path = '/metrics') {
  const { statusCode, headers, body } = await request(`${url}${path}`);
  expect(statusCode).toBe(200);
  expect(headers['content-type']).toMatch(/^text\/plain/);
  const text = await body.text();
  const types = new Map(parsePrometheus(text).map(({ name, type }) => [name, type]));
  // The parser takes histograms apart only where they have no labels: it reads them as single values.
  const samples = parsePrometheus(text.replaceAll(/^(# TYPE \S+) histogram$/gm, '$1 untyped'));
  return {
    types,
    /** Each value of a metric, with its labels. */
    values: (name: string) =>
      samples
        .filter((sample) => sample.name === name)
        .flatMap(({ metrics }) => metrics)
        .map(({ labels = {}, value }) => [labels, Number(value)] as const),
  };
}

/** The name that OpenTelemetry's rules give a name in Prometheus. */
const label = (name: string): string => name.replaceAll('.', '_');

const OPERATION = `${label(conventions.METRIC_MCP_SERVER_OPERATION_DURATION)}_seconds`;
/** As the text of the conventions gives them. */
const BUCKETS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];
const SESSION = `${label(conventions.METRIC_MCP_SERVER_SESSION_DURATION)}_seconds`;

describe('Prometheus', () => {
  it('reads calls, with the names of the conventions', async () => {
    const { app, gate } = await mount();
    const url = await listening(app);
    const list = callOf({ method: 'tools/list', target: undefined });
    pass(gate, list, listed('echo'));
    pass(gate, callOf(), OK);
    pass(gate, callOf(), OK);
    pass(gate, callOf(), TOOL_ERROR);
    pass(gate, callOf(), REFUSED);
    const { types, values } = await scrape(url);
    expect(types.get(OPERATION)).toBe('HISTOGRAM');
    const called = {
      [label(conventions.ATTR_MCP_METHOD_NAME)]: conventions.MCP_METHOD_NAME_VALUE_TOOLS_CALL,
      [label(conventions.ATTR_GEN_AI_OPERATION_NAME)]:
        conventions.GEN_AI_OPERATION_NAME_VALUE_EXECUTE_TOOL,
      [label(conventions.ATTR_GEN_AI_TOOL_NAME)]: 'echo',
      [label(conventions.ATTR_MCP_PROTOCOL_VERSION)]: '2025-11-25',
      [label(conventions.ATTR_NETWORK_TRANSPORT)]: conventions.NETWORK_TRANSPORT_VALUE_TCP,
      [label(conventions.ATTR_NETWORK_PROTOCOL_NAME)]: 'http',
    };
    const failed = (type: string, code?: string) => ({
      ...called,
      [label(conventions.ATTR_ERROR_TYPE)]: type,
      ...(code !== undefined && { [label(conventions.ATTR_RPC_RESPONSE_STATUS_CODE)]: code }),
    });
    const counts = values(`${OPERATION}_count`);
    expect(counts).toEqual(
      expect.arrayContaining([
        [called, 2],
        [failed('tool_error'), 1],
        [failed('429', '-32000'), 1],
      ]),
    );
    expect(counts).toHaveLength(4);
    const bounds = new Set(values(`${OPERATION}_bucket`).map(([{ le }]) => le));
    expect([...bounds]).toEqual([...BUCKETS.map(String), '+Inf']);
  });

  it('reads what the mount holds, refusals, sessions that ended, heap and event loop', async () => {
    const { app, gate, observer } = await mount();
    const url = await listening(app);
    pass(gate, callOf(), REFUSED);
    observer.requestRefused?.({
      status: 403,
      code: -32_000,
      message: 'the host "evil" is not allowed',
    });
    const session = {
      sessionId: 's',
      principal: 'ada',
      transport: 'sse',
      protocolVersion: '2024-11-05',
    } as const;
    observer.sessionEnded?.(session, { reason: 'idle', durationMs: 1_500 });
    observer.sessionEnded?.(session, { reason: 'failed', durationMs: 500 });
    const { values } = await scrape(url);
    expect(values('longwire_server_sessions')).toEqual([[{}, 3]]);
    expect(values('longwire_server_sessions_hibernating')).toEqual([[{}, 2]]);
    expect(values('longwire_server_streams')).toEqual([[{}, 1]]);
    expect(values('longwire_server_calls')).toEqual([[{}, 4]]);
    expect(values('longwire_server_streams_buffered_bytes')).toEqual([[{}, 1_000]]);
    expect(values('longwire_server_event_log_size_bytes')).toEqual([[{}, 2_000]]);
    const queue = { longwire_queue_name: 'render_*' };
    expect(values('longwire_server_queue_waiting')).toEqual([[queue, 5]]);
    expect(values('longwire_server_queue_running')).toEqual([[queue, 2]]);
    expect(values('longwire_server_refusals_total')).toEqual([
      [{ http_response_status_code: '429', longwire_reason: 'rate-limited' }, 1],
      [{ http_response_status_code: '403', longwire_reason: '_OTHER' }, 1],
    ]);
    expect(values('longwire_server_sessions_ended_total')).toEqual([
      [{ longwire_reason: 'idle' }, 1],
      [{ longwire_reason: 'failed' }, 1],
    ]);
    expect(values(`${SESSION}_sum`).map(([labels, sum]) => [labels['error_type'], sum])).toEqual([
      [undefined, 1.5],
      ['failed', 0.5],
    ]);
    const heap = values(`${label(conventions.METRIC_V8JS_MEMORY_HEAP_USED)}_bytes`);
    expect(heap.map(([labels]) => Object.keys(labels))).toContainEqual([
      label(conventions.ATTR_V8JS_HEAP_SPACE_NAME),
    ]);
    for (const name of [
      conventions.METRIC_NODEJS_EVENTLOOP_DELAY_MEAN,
      conventions.METRIC_NODEJS_EVENTLOOP_DELAY_MAX,
      conventions.METRIC_NODEJS_EVENTLOOP_DELAY_P50,
      conventions.METRIC_NODEJS_EVENTLOOP_DELAY_P90,
      conventions.METRIC_NODEJS_EVENTLOOP_DELAY_P99,
    ]) {
      expect(values(`${label(name)}_seconds`)).toEqual([[{}, expect.any(Number)]]);
    }
    const utilization = `${label(conventions.METRIC_NODEJS_EVENTLOOP_UTILIZATION)}_ratio`;
    expect(values(utilization)[0]?.[1]).toBeGreaterThan(0);
  });

  it('has no label for names that only a client says', async () => {
    const { app, gate } = await mount();
    const url = await listening(app);
    for (let made = 0; made < 1_000; made++) {
      pass(gate, callOf({ target: `made-up-${made}` }), NO_SUCH_TOOL);
      pass(gate, callOf({ target: `also-${made}` }), TOOL_ERROR);
      pass(gate, callOf({ method: `made/up-${made}`, protocolVersion: `v${made}` }), NO_SUCH_TOOL);
      pass(gate, callOf(), { kind: 'error', error: { code: made, message: 'any' } });
    }
    pass(gate, callOf({ target: 'real' }), OK);
    const series = (await scrape(url)).values(`${OPERATION}_count`);
    const labelled = (name: string) => new Set(series.map(([labels]) => labels[name]));
    expect(labelled('gen_ai_tool_name')).toEqual(new Set(['_OTHER', undefined, 'real']));
    expect(labelled('mcp_method_name')).toEqual(new Set(['tools/call', '_OTHER']));
    expect(labelled('mcp_protocol_version')).toEqual(new Set(['2025-11-25', '_OTHER']));
    expect(series.length).toBeLessThan(80);
  });

  it('counts mounts of one application together, and keeps what is in a given registry', async () => {
    const registry = new Registry();
    new Counter({ name: 'mine_total', help: 'of the program', registers: [registry] }).inc();
    const options = { registry, path: '/internal/metrics' };
    const { app } = await mount(options);
    await mount(options, app);
    const url = await listening(app);
    const { values } = await scrape(url, options.path);
    expect(values('longwire_server_sessions')).toEqual([[{}, 6]]);
    expect(values('mine_total')).toEqual([[{}, 1]]);
    await app.close();
    expect(await registry.metrics()).toContain('longwire_server_sessions 0');
  });

  it('says what to install', async () => {
    const missing = loadPeer(
      'no-such-package',
      'metrics',
      () => import('no-such-package' as string),
    );
    await expect(missing).rejects.toThrow(
      'metrics needs no-such-package: install it with npm install no-such-package',
    );
  });
});

it('OpenTelemetry gets the same, and Prometheus nothing unless it is asked for', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  const { app, gate, observer } = await mount({ otel: provider.getMeter('mine') });
  const url = await listening(app);
  pass(gate, callOf(), OK);
  pass(gate, callOf(), TOOL_ERROR);
  observer.sessionEnded?.(
    { sessionId: 's', principal: 'ada', transport: 'sse', protocolVersion: '2024-11-05' },
    { reason: 'deleted', durationMs: 1_000 },
  );
  await reader.forceFlush();
  const exported = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
  const named = (name: string) => exported.find(({ descriptor }) => descriptor.name === name);
  const operation = named(conventions.METRIC_MCP_SERVER_OPERATION_DURATION);
  expect(operation?.descriptor.unit).toBe('s');
  expect(operation?.dataPoints.map(({ attributes, value }) => [attributes, value])).toEqual(
    [undefined, 'tool_error'].map((type) => [
      {
        [conventions.ATTR_MCP_METHOD_NAME]: 'tools/call',
        [conventions.ATTR_GEN_AI_OPERATION_NAME]: 'execute_tool',
        [conventions.ATTR_GEN_AI_TOOL_NAME]: 'echo',
        [conventions.ATTR_MCP_PROTOCOL_VERSION]: '2025-11-25',
        [conventions.ATTR_NETWORK_TRANSPORT]: 'tcp',
        [conventions.ATTR_NETWORK_PROTOCOL_NAME]: 'http',
        ...(type !== undefined && { [conventions.ATTR_ERROR_TYPE]: type }),
      },
      expect.objectContaining({
        count: 1,
        buckets: expect.objectContaining({ boundaries: BUCKETS }) as object,
      }),
    ]),
  );
  expect(named(conventions.METRIC_MCP_SERVER_SESSION_DURATION)?.dataPoints).toHaveLength(1);
  expect(named('longwire.server.sessions')?.dataPoints[0]?.value).toBe(3);
  expect(named(conventions.METRIC_V8JS_MEMORY_HEAP_USED)?.dataPoints.length).toBeGreaterThan(1);
  expect(named(conventions.METRIC_NODEJS_EVENTLOOP_DELAY_P99)?.dataPoints).toHaveLength(1);
  expect((await request(`${url}/metrics`)).statusCode).toBe(404);
  await provider.shutdown();
});
