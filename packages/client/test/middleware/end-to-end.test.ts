import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import {
  cache,
  rateLimit,
  requestId,
  retry,
  timeout,
  tokenRefresh,
} from '../../src/middleware/index.ts';
import { metrics } from '../../src/middleware/metrics.ts';
import { tracing } from '../../src/middleware/tracing.ts';
import { listing, quick, runsOf, said } from '../support/recovery.ts';
import { atTheEndOfEachTest, heard } from '../support/streamable.ts';
import { failureOf } from '../support/failure-of.ts';

const { serve, client: clientOf } = atTheEndOfEachTest();

describe.each(['legacy', 'modern'] as const)('%s era', (era) => {
  it('a token that the server refuses is replaced in the handshake, and goes with all that follows', async () => {
    const server = await serve({ era, requiredHeaders: { authorization: 'Bearer t2' } });
    let count = 0;
    const middleware = [tokenRefresh({ provider: () => `t${++count}` })];
    const client = clientOf(server.url, { ...quick, middleware });
    expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
    await client.listTools();
    expect(count).toBe(2);
  });

  it('a token that is revoked later is replaced, and the call sent once more', async () => {
    const server = await serve({ era, requiredHeaders: { authorization: 'Bearer t1' } });
    let count = 0;
    const middleware = [tokenRefresh({ provider: () => `t${++count}` })];
    const client = clientOf(server.url, { ...quick, middleware });
    await client.callTool('echo', { message: 'x' });
    server.mischief.requiredHeaders = { authorization: 'Bearer t2' };
    expect(await client.callTool('echo', { message: 'y' })).toEqual(said('y'));
    expect(count).toBe(2);
    expect(runsOf(server, 'echo')).toHaveLength(2);
  });

  it('results of read-only tools are kept until the server changes its tools', async () => {
    const server = await serve({ era, answer: listing({ echo: { readOnlyHint: true } }) });
    const kept = cache();
    const client = clientOf(server.url, { ...quick, middleware: [kept] });
    await client.listTools();
    if (era === 'legacy') await heard(server);
    const results = await Promise.all(
      [1, 2, 3].map(() => client.callTool('echo', { message: 'x' })),
    );
    expect(results).toEqual([said('x'), said('x'), said('x')]);
    expect(runsOf(server, 'echo')).toHaveLength(1);
    expect(kept.stats()).toMatchObject({ hits: 2, misses: 1, entries: 1 });
    if (era === 'legacy') {
      server.push({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
      await until(() => expect(kept.stats().entries).toBe(0));
    }
  });

  it('a call that takes too long for its tool ends, and is cancelled at the server', async () => {
    const server = await serve({ era, hangOn: 'tools/call' });
    const middleware = [timeout({ tools: { 'slow_*': 50 } })];
    const client = clientOf(server.url, { ...quick, middleware });
    const error = await failureOf(client.callTool('slow_one'));
    expect(error).toMatchObject({ code: 'timeout', certainty: 'outcome-unknown' });
    if (era === 'legacy') {
      await until(() => expect(server.messagesOf('notifications/cancelled')).toHaveLength(1));
    }
  });

  it('a span has the names of the conventions for the server and the request on the wire', async () => {
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(exporter)],
    });
    const server = await serve({ era });
    const middleware = [tracing({ tracer: provider.getTracer('test') })];
    const client = clientOf(server.url, { ...quick, middleware });
    await client.callTool('echo', { message: 'x' });
    const spans = exporter.getFinishedSpans().filter(({ name }) => name.includes('tools/call'));
    const { id } = server.messagesOf('tools/call')[0] as { id: number };
    const onWire = {
      [conventions.ATTR_JSONRPC_REQUEST_ID]: String(id),
      [conventions.ATTR_MCP_PROTOCOL_VERSION]: client.protocolVersion,
      'longwire.transport': 'streamable-http',
    };
    expect(spans.map(({ attributes }) => attributes)).toEqual([
      { 'longwire.attempt': 1, ...onWire },
      {
        ...onWire,
        [conventions.ATTR_MCP_METHOD_NAME]: conventions.MCP_METHOD_NAME_VALUE_TOOLS_CALL,
        [conventions.ATTR_GEN_AI_OPERATION_NAME]:
          conventions.GEN_AI_OPERATION_NAME_VALUE_EXECUTE_TOOL,
        [conventions.ATTR_GEN_AI_TOOL_NAME]: 'echo',
        [conventions.ATTR_NETWORK_TRANSPORT]: conventions.NETWORK_TRANSPORT_VALUE_TCP,
        [conventions.ATTR_NETWORK_PROTOCOL_NAME]: 'http',
        [conventions.ATTR_SERVER_SERVICE_NAME]: new URL(server.url).host,
        [conventions.ATTR_SERVER_ADDRESS]: '127.0.0.1',
        [conventions.ATTR_SERVER_PORT]: Number(new URL(server.url).port),
      },
    ]);
  });

  it('five of them around one call do not disturb one another', async () => {
    let failures = 1;
    const server = await serve({
      era,
      answer: ({ method }) =>
        method === 'tools/call' && failures-- > 0 ? { content: [], isError: true } : undefined,
    });
    const measured = metrics();
    const middleware = [
      requestId(),
      tracing(),
      measured,
      retry({ firstDelayMs: 1, retryOn: () => true }),
      rateLimit({ perSecond: 1000 }),
      cache({ tools: { '*': true } }),
    ];
    const client = clientOf(server.url, { ...quick, middleware });
    for (let i = 0; i < 2; i++) {
      expect(await client.callTool('echo', { message: 'x' }, { idempotent: true })).toEqual(
        said('x'),
      );
    }
    expect(measured.snapshot()).toMatchObject([{ tool: 'echo', outcome: 'ok', count: 2 }]);
    expect(runsOf(server, 'echo')).toHaveLength(2);
  });
});
