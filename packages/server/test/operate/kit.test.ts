import { context, propagation, SpanKind, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import {
  Client,
  SSEClientTransport,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { McpServer } from '@modelcontextprotocol/server';
import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import Fastify from 'fastify';
import { request } from 'undici';
import { afterEach, beforeEach, expect, it } from 'vitest';
import * as z from 'zod';
import { mcp } from '../../src/index.ts';
import { listening } from '../fixture.ts';

const exporter = new InMemorySpanExporter();

beforeEach(() => {
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});

afterEach(() => {
  exporter.reset();
  trace.disable();
  propagation.disable();
  context.disable();
});

function createServer(): McpServer {
  const server = new McpServer({ name: 'sample', version: '1.0.0' });
  server.registerTool('echo', { inputSchema: z.object({ message: z.string() }) }, ({ message }) => {
    trace.getTracer('tool').startSpan('query').end();
    return { content: [{ type: 'text', text: message }] };
  });
  server.registerTool('fail', {}, () => ({ content: [], isError: true }));
  return server;
}

/** A whole application, with all that operators need. */
async function serveAll() {
  const lines: string[] = [];
  const app = Fastify({ logger: { stream: { write: (line: string) => void lines.push(line) } } });
  await app.register(mcp, { create: createServer, metrics: true, tracing: true });
  const url = await listening(app);
  const scrape = async () => (await request(`${url}/metrics`)).body.text();
  return { url, lines, scrape };
}

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

it.each([
  ['sse', 'legacy'],
  ['streamable-http', 'legacy'],
  ['stateless', 'auto'],
] as const)('a call over %s has a span, a line and figures', async (name, mode) => {
  const { url, lines, scrape } = await serveAll();
  const client = new Client({ name: 'c', version: '1' }, { versionNegotiation: { mode } });
  await client.connect(
    name === 'sse'
      ? new SSEClientTransport(new URL(`${url}/sse`))
      : new StreamableHTTPClientTransport(new URL(`${url}/mcp`)),
  );
  await client.listTools();
  await client.callTool({
    name: 'echo',
    arguments: { message: 'a secret' },
    _meta: { traceparent: `00-${TRACE}-${PARENT}-01` },
  });
  await client.callTool({ name: 'fail', arguments: {} });
  await client.callTool({ name: 'made-up', arguments: {} }).catch(() => {});
  const spans = exporter.getFinishedSpans().filter(({ kind }) => kind === SpanKind.SERVER);
  const span = spans.find((one) => one.name === 'tools/call echo');
  expect(span?.spanContext().traceId).toBe(TRACE);
  expect(span?.parentSpanContext?.spanId).toBe(PARENT);
  expect(span?.attributes).toMatchObject({
    [conventions.ATTR_GEN_AI_TOOL_NAME]: 'echo',
    [conventions.ATTR_MCP_PROTOCOL_VERSION]: client.getNegotiatedProtocolVersion(),
  });
  const query = exporter.getFinishedSpans().find((one) => one.name === 'query');
  expect(query?.parentSpanContext?.spanId).toBe(span?.spanContext().spanId);

  const records = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'call');
  expect(records.map(({ target, outcome }) => [target, outcome]).slice(0, 2)).toEqual([
    ['echo', 'ok'],
    ['fail', 'tool_error'],
  ]);
  expect(records).toHaveLength(3);
  const isOfSession = name !== 'stateless';
  expect(records[0]).toMatchObject({
    transport: name,
    principal: 'anonymous',
    ...(isOfSession && { session: span?.attributes[conventions.ATTR_MCP_SESSION_ID] }),
  });
  expect(lines.join('')).not.toContain('a secret');

  const text = await scrape();
  expect(text).toContain(`\nlongwire_server_sessions ${isOfSession ? 1 : 0}\n`);
  const counts = text
    .split('\n')
    .filter((line) => line.startsWith('mcp_server_operation_duration_seconds_count{'));
  const countOf = (tool: string): string[] =>
    counts.filter((line) => line.includes(`gen_ai_tool_name="${tool}"`));
  expect(countOf('echo')).toHaveLength(1);
  expect(countOf('fail')[0]).toContain('error_type="tool_error"');
  expect(countOf('_OTHER')).toHaveLength(1);
  expect(text).not.toContain('made-up');
  await client.close();
});
