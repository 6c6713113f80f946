import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  CompositePropagator,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import Fastify from 'fastify';
import { request } from 'undici';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Call, CallGate, CallOutcome } from '../../src/calls/call.ts';
import { sessionDigest } from '../../src/operate/log.ts';
import { createTracing } from '../../src/operate/tracing.ts';
import { listening } from '../fixture.ts';
import {
  CANCELLED,
  FAULT,
  NO_SUCH_TOOL,
  OK,
  REFUSED,
  SESSION,
  TOOL_ERROR,
  callOf,
  pass,
} from './calls.ts';

const exporter = new InMemorySpanExporter();

beforeEach(() => {
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
  propagation.setGlobalPropagator(
    new CompositePropagator({
      propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
    }),
  );
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});

afterEach(() => {
  exporter.reset();
  trace.disable();
  propagation.disable();
  context.disable();
});

/** The spans of requests. */
const spans = (): ReadableSpan[] =>
  exporter.getFinishedSpans().filter(({ kind }) => kind === SpanKind.SERVER);

/** The span of one call. */
async function spanOf(part: Partial<Call>, outcome: CallOutcome = OK): Promise<ReadableSpan> {
  pass(await createTracing({}), callOf(part), outcome);
  return spans().at(-1)!;
}

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const [OF_META, OF_HTTP] = ['00f067aa0ba902b7', '00f067aa0ba902b8'];
const traceparent = (span: string): string => `00-${TRACE}-${span}-01`;

it('has the names of the conventions, for a call that comes over HTTP', async () => {
  const gate = await createTracing({});
  const app = Fastify();
  app.post('/mcp', async (asked) => {
    pass(gate, callOf({ id: 7, request: asked, headers: asked.headers }), OK);
    return 'ok';
  });
  const url = await listening(app);
  await (await request(`${url}/mcp`, { method: 'POST' })).body.dump();
  const [span] = spans();
  expect(span?.name).toBe('tools/call echo');
  expect(span?.status.code).toBe(SpanStatusCode.UNSET);
  expect(span?.attributes).toEqual({
    [conventions.ATTR_MCP_METHOD_NAME]: conventions.MCP_METHOD_NAME_VALUE_TOOLS_CALL,
    [conventions.ATTR_GEN_AI_OPERATION_NAME]: conventions.GEN_AI_OPERATION_NAME_VALUE_EXECUTE_TOOL,
    [conventions.ATTR_GEN_AI_TOOL_NAME]: 'echo',
    [conventions.ATTR_JSONRPC_REQUEST_ID]: '7',
    [conventions.ATTR_MCP_PROTOCOL_VERSION]: '2025-11-25',
    [conventions.ATTR_MCP_SESSION_ID]: sessionDigest(SESSION),
    [conventions.ATTR_NETWORK_TRANSPORT]: conventions.NETWORK_TRANSPORT_VALUE_TCP,
    [conventions.ATTR_NETWORK_PROTOCOL_NAME]: 'http',
    [conventions.ATTR_NETWORK_PROTOCOL_VERSION]: '1.1',
    [conventions.ATTR_CLIENT_ADDRESS]: '127.0.0.1',
    [conventions.ATTR_CLIENT_PORT]: expect.any(Number),
  });
});

it.each([
  ['prompts/get greet', 'prompts/get', 'greet', { [conventions.ATTR_GEN_AI_PROMPT_NAME]: 'greet' }],
  ['resources/read', 'resources/read', 'a:b', { [conventions.ATTR_MCP_RESOURCE_URI]: 'a:b' }],
  ['tools/list', 'tools/list', undefined, {}],
])('%s', async (name, method, target, attributes) => {
  const span = await spanOf({ method, target });
  expect(span.name).toBe(name);
  expect(span.attributes).toMatchObject(attributes);
  expect(span.attributes).not.toHaveProperty(conventions.ATTR_GEN_AI_TOOL_NAME);
});

it.each([
  [TOOL_ERROR, 'tool_error', undefined, undefined],
  [FAULT, '-32603', '-32603', 'broken'],
  [REFUSED, '429', '-32000', 'Too many'],
  [CANCELLED, 'cancelled', undefined, undefined],
])('%o is a failure', async (outcome, type, code, message) => {
  const { attributes, status } = await spanOf({}, outcome);
  expect(attributes[conventions.ATTR_ERROR_TYPE]).toBe(type);
  expect(attributes[conventions.ATTR_RPC_RESPONSE_STATUS_CODE]).toBe(code);
  expect(status).toEqual({
    code: SpanStatusCode.ERROR,
    ...(message !== undefined && { message }),
  });
});

it('what the client asked wrongly has its number, and is no failure of the server', async () => {
  const { attributes, status } = await spanOf({}, NO_SUCH_TOOL);
  expect(attributes[conventions.ATTR_RPC_RESPONSE_STATUS_CODE]).toBe('-32602');
  expect(attributes).not.toHaveProperty(conventions.ATTR_ERROR_TYPE);
  expect(status).toEqual({ code: SpanStatusCode.UNSET });
});

it.each([
  ['of the message, with that of HTTP as a link', true, true, OF_META, [OF_HTTP]],
  ['of the message', true, false, OF_META, []],
  ['of HTTP', false, true, OF_HTTP, []],
  ['nobody’s', false, false, undefined, []],
])('its parent is %s', async (_name, isInMeta, isInHeaders, parent, links) => {
  const span = await spanOf({
    params: { name: 'echo', ...(isInMeta && { _meta: { traceparent: traceparent(OF_META) } }) },
    headers: isInHeaders ? { traceparent: traceparent(OF_HTTP) } : {},
  });
  expect(span.parentSpanContext?.spanId).toBe(parent);
  expect(span.links.map((link) => link.context.spanId)).toEqual(links);
  if (parent !== undefined) expect(span.spanContext().traceId).toBe(TRACE);
});

it('a span around the HTTP request comes before what its headers say', async () => {
  const gate = await createTracing({});
  const call = (isInMeta: boolean): Call =>
    callOf({
      params: { name: 'echo', ...(isInMeta && { _meta: { traceparent: traceparent(OF_META) } }) },
      headers: { traceparent: traceparent(OF_HTTP) },
    });
  const http = trace.getTracer('http').startSpan('POST');
  context.with(trace.setSpan(context.active(), http), () => {
    pass(gate, call(true), OK);
    pass(gate, call(false), OK);
  });
  const [linked, child] = spans();
  const { spanId } = http.spanContext();
  expect(linked?.parentSpanContext?.spanId).toBe(OF_META);
  expect(linked?.links.map((link) => link.context.spanId)).toEqual([spanId]);
  expect(child?.parentSpanContext?.spanId).toBe(spanId);
  expect(child?.links).toEqual([]);
});

it('handlers run in its context, also after a wait, with the baggage of the message', async () => {
  const gate: CallGate = await createTracing({});
  const meta = { traceparent: traceparent(OF_META), baggage: 'tenant=a' };
  const call = callOf({ params: { name: 'echo', _meta: meta } });
  void gate.admit?.(call);
  await new Promise(setImmediate);
  const seen = await new Promise<unknown[]>((resolve) => {
    const deliver = (): void => {
      setImmediate(() => {
        trace.getTracer('handler').startSpan('query').end();
        resolve([propagation.getActiveBaggage()?.getEntry('tenant')?.value]);
      });
    };
    gate.around?.(call, deliver, () => {});
  });
  gate.leave?.(call, OK);
  const query = exporter.getFinishedSpans().find(({ name }) => name === 'query');
  expect(seen).toEqual(['a']);
  expect(query?.parentSpanContext?.spanId).toBe(spans()[0]?.spanContext().spanId);
});

it('a call that an earlier gate refused has a span, too, since its arrival', async () => {
  const gate = await createTracing({});
  const call = callOf({ receivedAt: performance.now() - 60_000 });
  gate.leave?.(call, REFUSED);
  const [span] = spans();
  expect(span?.attributes[conventions.ATTR_ERROR_TYPE]).toBe('429');
  expect(span?.duration[0]).toBeGreaterThanOrEqual(60);
});

it('without an SDK a call passes as it is', async () => {
  trace.disable();
  let isDelivered = false;
  pass(await createTracing({}), callOf(), OK, () => {
    isDelivered = true;
  });
  expect(isDelivered).toBe(true);
  expect(exporter.getFinishedSpans()).toEqual([]);
});
