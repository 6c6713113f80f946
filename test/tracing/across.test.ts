import { setTimeout as delay } from 'node:timers/promises';
import { connect, type LongwireClient } from '@longwire/client';
import { tracing } from '@longwire/client/middleware/tracing';
import { serve, type Serving } from '@longwire/server';
import { createFaultyProxy, type FaultyProxy } from '@longwire/testing';
import { McpServer } from '@modelcontextprotocol/server';
import { context, propagation, SpanKind, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { until } from '../support/until.ts';

const exporter = new InMemorySpanExporter();
const program = trace.getTracer('program');

beforeAll(() => {
  const spanProcessors = [new SimpleSpanProcessor(exporter)];
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});
afterAll(() => {
  trace.disable();
  propagation.disable();
  context.disable();
});

const calls = (kind: SpanKind): ReadableSpan[] =>
  exporter
    .getFinishedSpans()
    .filter((span) => span.kind === kind && span.name.startsWith('tools/call'));

const parentOf = ({ parentSpanContext }: ReadableSpan): string | undefined =>
  parentSpanContext?.spanId;
const idOf = (span: ReadableSpan): string => span.spanContext().spanId;

/** Says after some progress who its span is. */
function create(): McpServer {
  const server = new McpServer({ name: 'traced', version: '1.0.0' });
  const inputSchema = z.object({ name: z.string(), ms: z.number() });
  const whose = { inputSchema, annotations: { readOnlyHint: true } };
  server.registerTool('whose', whose, async ({ name, ms }, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    if (progressToken !== undefined) {
      const params = { progressToken, progress: 1, message: name };
      await mcpReq.notify({ method: 'notifications/progress', params });
    }
    await delay(ms);
    const text = trace.getActiveSpan()?.spanContext().spanId ?? 'nobody';
    return { content: [{ type: 'text', text }] };
  });
  return server;
}

describe.each([
  ['HTTP+SSE', 'sse', '2024-11-05'],
  ['Streamable HTTP', 'mcp', '2025-11-25'],
  ['Streamable HTTP without sessions', 'mcp', '2026-07-28'],
] as const)('over %s', (_name, path, protocol) => {
  let serving: Serving;
  let proxy: FaultyProxy;
  let client: LongwireClient;

  beforeEach(async () => {
    serving = await serve({ create, tracing: true });
    proxy = await createFaultyProxy({ target: serving.url });
    client = await connect(`${proxy.origin}/${path}`, {
      protocol,
      middleware: [tracing()],
      retry: { firstDelayMs: 5, maxDelayMs: 50 },
    });
    await client.listTools();
    exporter.reset();
  });
  afterEach(async () => {
    await client.close();
    await proxy.close();
    await serving.close();
    exporter.reset();
  });

  it('each of many calls at once is one trace, from who makes it to the handler of the server', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `n${index}`);
    const said = await Promise.all(
      names.map((name, index) =>
        program.startActiveSpan(name, async (outer) => {
          const args = { name, ms: 20 - index };
          const { content } = await client.callTool('whose', args);
          outer.end();
          return (content[0] as { text: string }).text;
        }),
      ),
    );
    await until(() => expect(calls(SpanKind.SERVER)).toHaveLength(20));
    const outer = exporter.getFinishedSpans().filter(({ name }) => names.includes(name));
    const sent = calls(SpanKind.CLIENT);
    expect(sent).toHaveLength(20);
    for (const [index, name] of names.entries()) {
      const made = outer.find((span) => span.name === name) as ReadableSpan;
      const [asked, ...more] = sent.filter((span) => parentOf(span) === idOf(made));
      expect(more).toEqual([]);
      const served = calls(SpanKind.SERVER).filter(
        (span) => parentOf(span) === idOf(asked as ReadableSpan),
      );
      expect(served.map(idOf)).toEqual([said[index]]);
      expect(served[0]?.spanContext().traceId).toBe(made.spanContext().traceId);
    }
  });

  it('a call that is read as a stream is below who reads it', async () => {
    const outer = program.startSpan('reader');
    const progress: string[] = [];
    await context.with(trace.setSpan(context.active(), outer), async () => {
      for await (const event of client.stream('whose', { name: 'x', ms: 1 })) {
        if (event.type === 'progress') progress.push(event.progress.message ?? '');
        expect(trace.getActiveSpan()).toBe(outer);
      }
    });
    outer.end();
    expect(progress).toEqual(['x']);
    expect(calls(SpanKind.CLIENT).map(parentOf)).toEqual([outer.spanContext().spanId]);
  });

  it('a call that is sent again on another connection is one span, with its attempts', async () => {
    const call = client.callTool('whose', { name: 'x', ms: 200 }, { onProgress: () => cut() });
    let cuts = 0;
    const cut = (): void => {
      if (cuts++ === 0) proxy.cutAll();
    };
    await call;
    const [sent, ...more] = calls(SpanKind.CLIENT);
    expect(more).toEqual([]);
    const attempts = exporter.getFinishedSpans().filter(({ name }) => name.endsWith(' attempt'));
    // Without sessions nothing is resumed.
    expect(attempts.length).toBeGreaterThanOrEqual(protocol === '2026-07-28' ? 2 : 1);
    for (const attempt of attempts) expect(parentOf(attempt)).toBe(idOf(sent as ReadableSpan));
    await until(() => expect(calls(SpanKind.SERVER).length).toBeGreaterThan(0));
    for (const served of calls(SpanKind.SERVER)) {
      expect(parentOf(served)).toBe(idOf(sent as ReadableSpan));
    }
  });
});
