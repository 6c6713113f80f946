/**
 * Time limits for each tool, a rate that refuses what comes over it, and a span for every call, with
 * one below it for each attempt.
 */
import { connect, LongwireError } from '@longwire/client';
import { rateLimit, timeout } from '@longwire/client/middleware';
import { tracing } from '@longwire/client/middleware/tracing';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { startMarket } from './market.mjs';

const spans = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
const market = await startMarket();
const client = await connect(market.url, {
  middleware: [
    tracing({ tracer: provider.getTracer('market-watch') }),
    timeout({ defaultMs: 10_000, tools: { slow: 50 } }),
    rateLimit({ tools: { price: { perSecond: 0.1, burst: 2 } }, over: 'refuse' }),
  ],
});

/** @param {string} tool @param {Record<string, unknown>} args */
async function call(tool, args) {
  try {
    await client.callTool(tool, args);
    console.log(`${tool}: done`);
  } catch (error) {
    if (!(error instanceof LongwireError)) throw error;
    console.log(`${tool}: ${error.code}, ${error.certainty}`);
  }
}

for (let i = 0; i < 3; i++) await call('price', { symbol: 'AAPL' });
await call('slow', { ms: 5000 });
const names = spans.getFinishedSpans().map(({ name }) => name);
console.log(`${names.filter((name) => name === 'tools/call price').length} spans of price`);
await client.close();
await market.close();
await provider.shutdown();
