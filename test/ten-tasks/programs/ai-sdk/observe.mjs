import { createMCPClient } from '@ai-sdk/mcp';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { Histogram } from 'prom-client';
import { logger, register, tracerProvider } from '../telemetry.mjs';

const tracer = tracerProvider.getTracer('market');
const seconds = new Histogram({
  name: 'mcp_call_duration_seconds',
  help: 'How long calls of tools took',
  labelNames: ['tool', 'outcome'],
  registers: [register],
});

async function call(client, name, args) {
  const startedAt = performance.now();
  const options = { kind: SpanKind.CLIENT };
  return tracer.startActiveSpan(`tools/call ${name}`, options, async (span) => {
    let outcome = 'error';
    try {
      const result = await client.callTool({ name, arguments: args });
      if (!result.isError) outcome = 'ok';
      return result;
    } catch (error) {
      span.recordException(error);
      throw error;
    } finally {
      const took = (performance.now() - startedAt) / 1000;
      if (outcome === 'error') span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
      seconds.observe({ tool: name, outcome }, took);
      logger[outcome === 'ok' ? 'info' : 'warn']({ tool: name, outcome, took }, 'tools/call');
    }
  });
}

const client = await createMCPClient({ transport: { type: 'http', url: process.env.MARKET_URL } });
await call(client, 'price', { symbol: 'AAPL' });
await call(client, 'price', { symbol: 'MSFT' });
await call(client, 'halt');
await client.close();
