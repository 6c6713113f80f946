/**
 * What the programs of one task write their logs, figures and spans to. It is the same for all, and
 * says at the end what came.
 */
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { Registry } from 'prom-client';

const lines = [];
const line = ({ tool, outcome }) => lines.push(`${tool} ${outcome === 'ok' ? 'ok' : 'error'}`);
/** A logger in the manner of pino. */
export const logger = { debug: () => {}, info: line, warn: line, error: line };

export const register = new Registry();

const exporter = new InMemorySpanExporter();
export const tracerProvider = new BasicTracerProvider({
  spanProcessors: [new SimpleSpanProcessor(exporter)],
});

process.once('beforeExit', () => void tell());

async function tell() {
  console.log(`logged: ${lines.join(', ')}`);
  const counted = [];
  for (const { type, values } of await register.getMetricsAsJSON()) {
    if (type !== 'counter') continue;
    for (const { labels, value } of values) counted.push(`${labels.tool} ${value}`);
  }
  console.log(`counted: ${counted.sort().join(', ')}`);
  const spans = exporter.getFinishedSpans().map(({ name }) => name);
  console.log(
    `traced: ${spans.filter((name) => /^tools\/call (?!attempt)/.test(name)).join(', ')}`,
  );
}
