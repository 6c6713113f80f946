import {
  AggregationTemporality,
  InMemoryMetricExporter,
  InstrumentType,
  MeterProvider,
  PeriodicExportingMetricReader,
  type DataPoint,
  type Histogram,
} from '@opentelemetry/sdk-metrics';
import { describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import { createGroup } from '../../src/group/index.ts';
import { cache } from '../../src/middleware/index.ts';
import { metrics, type ClientMetrics, type Observed } from '../../src/middleware/metrics.ts';
import { otelMetrics } from '../../src/middleware/otel-metrics.ts';
import { createPool } from '../../src/pool/index.ts';
import { listing, quick } from '../support/recovery.ts';
import { atTheEndOfEachTest } from '../support/streamable.ts';

const { serve, gateTo, client: clientOf, closeLater } = atTheEndOfEachTest();

/** The value of a series, as a collector sees it. */
type Read = (name: string, labels?: Record<string, string>) => Promise<number | undefined>;

/** What records, and what was recorded by it. */
interface Rig {
  figures: ClientMetrics;
  read: Read;
  end: () => Promise<void>;
}

/** A registry of Prometheus. */
function prometheus(): Rig {
  const figures = metrics();
  const read: Read = async (name, labels = {}) => {
    const wanted = name.replaceAll('.', '_');
    const all = await figures.registry.getMetricsAsJSON();
    const series = all
      .filter(({ name: each }) =>
        [wanted, `${wanted}_total`, `${wanted}_bytes`, `${wanted}_seconds`].includes(each),
      )
      .flatMap(({ values }) => values as { value: number; labels: object; metricName?: string }[])
      .filter(({ metricName = '' }) => metricName === '' || metricName.endsWith('_count'))
      .filter(({ labels: own }) => hasAll(own, labels, (key) => key.replaceAll('.', '_')));
    return series.length === 0 ? undefined : series.reduce((sum, { value }) => sum + value, 0);
  };
  return { figures, read, end: () => Promise.resolve() };
}

/** The SDK goes on exporting a gauge that nobody observes any more, unless it is exported so. */
class Exporter extends InMemoryMetricExporter {
  override selectAggregationTemporality(type: InstrumentType): AggregationTemporality {
    return type === InstrumentType.OBSERVABLE_GAUGE
      ? AggregationTemporality.DELTA
      : AggregationTemporality.CUMULATIVE;
  }
}

/** A meter of OpenTelemetry. */
function openTelemetry(): Rig {
  const exporter = new Exporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  const figures = otelMetrics({ meter: provider.getMeter('test') });
  const read: Read = async (name, labels = {}) => {
    exporter.reset();
    await reader.forceFlush();
    const series = exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
      .filter(({ descriptor }) => descriptor.name === name)
      .flatMap(({ dataPoints }) => dataPoints as DataPoint<number | Histogram>[])
      .filter(({ attributes }) => hasAll(attributes, labels, (key) => key));
    if (series.length === 0) return undefined;
    return series.reduce(
      (sum, { value }) => sum + (typeof value === 'number' ? value : value.count),
      0,
    );
  };
  return { figures, read, end: () => provider.shutdown() };
}

function hasAll(
  own: object,
  labels: Record<string, string>,
  spell: (key: string) => string,
): boolean {
  return Object.entries(labels).every(
    ([key, value]) => String((own as Record<string, unknown>)[spell(key)]) === value,
  );
}

const of = (server: string): Record<string, string> => ({ 'server.service.name': server });

describe.each([
  ['Prometheus', prometheus],
  ['OpenTelemetry', openTelemetry],
])('%s', (_name, rig) => {
  it('sees a client that is up, away and back, and its sessions', async () => {
    const { figures, read, end } = rig();
    const server = await serve();
    const gate = await gateTo(server);
    const client = clientOf(gate.url, { ...quick, name: 'market', middleware: [figures] });
    const stop = figures.observe(client);
    expect(await read('longwire.client.up')).toBeUndefined();
    await client.connect();
    const port = new URL(gate.url).port;
    const where = { ...of('market'), 'server.address': '127.0.0.1', 'server.port': port };
    expect(await read('longwire.client.up', where)).toBe(1);
    expect(await read('longwire.client.reconnects', where)).toBe(0);
    await client.callTool('echo', { message: 'x' });
    expect(await read('mcp.client.operation.duration', where)).toBe(1);
    expect(await read('longwire.client.request.size', of('market'))).toBeGreaterThan(0);
    expect(await read('mcp.client.session.duration', where)).toBeUndefined();

    gate.shut();
    await until(async () => expect(await read('longwire.client.up', where)).toBe(0));
    await gate.open();
    await client.callTool('echo', { message: 'y' });
    expect(await read('longwire.client.up', where)).toBe(1);
    expect(await read('longwire.client.reconnects', where)).toBeGreaterThan(0);

    await client.close();
    const session = { ...where, 'longwire.transport': 'streamable-http' };
    expect(await read('mcp.client.session.duration', session)).toBeGreaterThan(0);
    expect(await read('longwire.client.up')).toBeUndefined();
    stop();
    expect(await read('longwire.client.calls')).toBeUndefined();
    await end();
  });

  it('sees the servers of a group, which come and go', async () => {
    const { figures, read, end } = rig();
    const server = await serve();
    const group = closeLater(
      createGroup(
        { one: server.url, two: server.url },
        { shared: { ...quick, middleware: [figures] } },
      ),
    );
    figures.observe(group);
    await group.connect();
    for (const name of ['one', 'two']) {
      expect(await read('longwire.client.up', of(name))).toBe(1);
      expect(await read('longwire.client.calls', of(name))).toBe(0);
      expect(await read('longwire.client.queue.waiting', of(name))).toBe(0);
    }
    await group.listTools();
    expect(await read('mcp.client.operation.duration', of('one'))).toBe(1);
    await group.disable('one');
    expect(await read('longwire.client.up', of('one'))).toBeUndefined();
    expect(await read('mcp.client.session.duration', of('one'))).toBe(1);
    await group.remove('two');
    expect(await read('longwire.client.calls', of('two'))).toBeUndefined();
    expect(await read('longwire.client.calls', of('one'))).toBe(0);
    await end();
  });

  it('sees how many principals have a session, and never who they are', async () => {
    const { figures, read, end } = rig();
    const server = await serve({ era: 'legacy' });
    const client = clientOf(server.url, { ...quick, name: 'market', middleware: [figures] });
    figures.observe(client);
    for (const user of ['ada', 'grace']) await client.as(user).callTool('echo', { message: user });
    expect(await read('longwire.client.principals', of('market'))).toBe(2);
    expect(await read('mcp.client.operation.duration', of('market'))).toBe(2);
    expect(await read('mcp.client.operation.duration', { 'user.id': 'ada' })).toBeUndefined();
    await client.close();
    expect(await read('longwire.client.principals', of('market'))).toBe(0);
    await end();
  });

  it('sees calls that failed before they could be sent', async () => {
    const { figures, read, end } = rig();
    const gate = await gateTo(await serve());
    gate.shut();
    const client = clientOf(gate.url, { ...quick, name: 'market', middleware: [figures] });
    figures.observe(client);
    await client.callTool('echo', { message: 'x' }).catch(() => {});
    const failed = { ...of('market'), 'error.type': 'connect-failed' };
    expect(await read('longwire.client.calls.failed', failed)).toBe(1);
    expect(await read('longwire.client.calls.failed', of('market'))).toBe(1);
    expect(await read('mcp.client.operation.duration')).toBeUndefined();
    await end();
  });

  it('sees a circuit breaker that opens', async () => {
    const { figures, read, end } = rig();
    const server = await serve();
    const gate = await gateTo(server);
    const shared = { ...quick, retry: { ...quick.retry, maxAttempts: 1 } };
    const options = { shared, breaker: { failures: 1, openMs: 60_000 } };
    const group = closeLater(createGroup({ market: gate.url }, options));
    figures.observe(group);
    await group.connect();
    expect(await read('longwire.client.breaker', of('market'))).toBe(0);
    gate.shut();
    await group.callTool('echo', { message: 'x' }).catch(() => {});
    await until(async () => expect(await read('longwire.client.breaker', of('market'))).toBe(2));
    await end();
  });

  it('sees the connections of a pool, what waits for them, and what is in flight', async () => {
    const { figures, read, end } = rig();
    const server = await serve({ hangOn: 'tools/call' });
    const pool = closeLater(createPool(server.url, { ...quick, name: 'slow', size: 2 }));
    figures.observe(pool);
    const ending = new AbortController();
    const calls = [1, 2, 3].map(() => pool.callTool('echo', {}, { signal: ending.signal }));
    const settled = Promise.allSettled(calls);
    const busy = { ...of('slow'), 'longwire.state': 'busy' };
    await until(async () => expect(await read('longwire.client.pool.connections', busy)).toBe(2));
    expect(await read('longwire.client.queue.waiting', of('slow'))).toBe(1);
    expect(await read('longwire.client.calls', of('slow'))).toBe(3);
    expect(await read('longwire.client.pool.ejected', of('slow'))).toBe(0);
    ending.abort();
    await settled;
    expect(await read('longwire.client.calls', of('slow'))).toBe(0);
    await end();
  });

  it('sees what a cache holds and did', async () => {
    const { figures, read, end } = rig();
    const server = await serve({ answer: listing({ echo: { readOnlyHint: true } }) });
    const kept = cache();
    const stop = figures.observe(kept);
    const client = clientOf(server.url, { ...quick, name: 'market', middleware: [figures, kept] });
    await client.listTools();
    for (let count = 0; count < 3; count++) await client.callTool('echo', { message: 'x' });
    expect(await read('longwire.client.cache.hits')).toBe(2);
    expect(await read('longwire.client.cache.misses')).toBe(1);
    expect(await read('longwire.client.cache.entries')).toBe(1);
    expect(await read('longwire.client.cache.size')).toBeGreaterThan(0);
    const hit = { ...of('market'), 'longwire.cache': 'hit' };
    expect(await read('mcp.client.operation.duration', hit)).toBe(2);
    stop();
    expect(await read('longwire.client.cache.entries')).toBeUndefined();
    await end();
  });

  it('counts a session once, however often its client is observed', async () => {
    const { figures, read, end } = rig();
    const server = await serve();
    const client = clientOf(server.url, { ...quick, name: 'market' });
    const stops = [figures.observe(client), figures.observe(client)];
    for (const stop of stops) {
      await client.connect();
      await client.close();
      stop();
    }
    expect(await read('mcp.client.session.duration', of('market'))).toBe(2);
    await client.connect();
    await client.close();
    expect(await read('mcp.client.session.duration', of('market'))).toBe(2);
    await end();
  });

  it('counts two clients of one server together, and each of them once', async () => {
    const { figures, read, end } = rig();
    const server = await serve();
    const [one, two] = [1, 2].map(() => clientOf(server.url, { ...quick, name: 'market' }));
    const stops = [one, two, two].map((each) => figures.observe(each as Observed));
    await Promise.all([one?.connect(), two?.connect()]);
    expect(await read('longwire.client.up', of('market'))).toBe(1);
    await two?.close();
    stops[1]?.();
    stops[1]?.();
    expect(await read('longwire.client.reconnects', of('market'))).toBe(0);
    stops[2]?.();
    expect(await read('longwire.client.up', of('market'))).toBe(1);
    stops[0]?.();
    expect(await read('longwire.client.up')).toBeUndefined();
    await end();
  });
});

it('what is no source is refused', () => {
  for (const wrong of [undefined, null, {}, { stats: () => ({}) }, 'market']) {
    expect(() => metrics().observe(wrong as unknown as Observed)).toThrow(
      'observe: not a client, a pool, a group, or a cache()',
    );
  }
  expect(() => metrics().observe((() => {}) as unknown as Observed)).toThrow(
    'observe: not a client',
  );
});

it('a wrong option of otelMetrics is refused by its name', () => {
  const make = (options: object) => () => otelMetrics(options);
  expect(make({ meter: {} })).toThrow('otelMetrics.meter: not a Meter');
  expect(make({ maxTools: 0 })).toThrow('otelMetrics.maxTools');
  expect(make({ registry: {} })).toThrow('otelMetrics.registry: no such option');
});
