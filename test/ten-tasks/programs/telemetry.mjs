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
const line = ({ tool, outcome, ...fields }) => {
  const name = tool ?? fields['gen_ai.tool.name'];
  if (name !== undefined) lines.push(`${name} ${outcome === 'ok' ? 'ok' : 'error'}`);
};
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
  // A histogram of how long calls took says how many there were.
  for (const { name, type, values } of await register.getMetricsAsJSON()) {
    if (type !== 'histogram' || !/duration/.test(name)) continue;
    for (const { labels, metricName, value } of values) {
      const tool = labels.tool ?? labels.gen_ai_tool_name;
      if (metricName?.endsWith('_count') && tool) counted.push(`${tool} ${value}`);
    }
  }
  console.log(`counted: ${counted.sort().join(', ')}`);
  const spans = exporter.getFinishedSpans().map(({ name }) => name);
  console.log(
    `traced: ${spans.filter((name) => /^tools\/call (?!attempt)/.test(name)).join(', ')}`,
  );
}
