import type { McpServer } from '@modelcontextprotocol/server';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { READ_ONLY, report, text } from './answers.js';
import { drawBarChart } from './chart.js';
import { describeQuote, PriceWalk, randomFrom } from './random-walk.js';

const TICK_MS = 200;
const SKIES = ['sunny', 'cloudy', 'rain', 'wind', 'fog'] as const;

/** Adds the demo's tools to a server. */
export function registerTools(server: McpServer): void {
  registerAnswers(server);
  registerStreams(server);
  registerForecast(server);
  registerChart(server);
}

function registerAnswers(server: McpServer): void {
  server.registerTool(
    'echo',
    {
      title: 'Echo',
      description: 'Says the message again.',
      inputSchema: z.object({ message: z.string().describe('What to say') }),
      annotations: READ_ONLY,
    },
    ({ message }) => text(message),
  );
  server.registerTool(
    'add',
    {
      title: 'Add',
      description: 'Adds two numbers.',
      inputSchema: z.object({ a: z.number(), b: z.number() }),
      annotations: READ_ONLY,
    },
    ({ a, b }) => text(`${a} + ${b} = ${a + b}`),
  );
  server.registerTool(
    'fail',
    {
      title: 'Fail',
      description: 'Always reports an error, to show what one looks like.',
      inputSchema: z.object({ reason: z.string().default('This tool always fails.') }),
      annotations: READ_ONLY,
    },
    ({ reason }) => ({ ...text(reason), isError: true }),
  );
}

function registerStreams(server: McpServer): void {
  server.registerTool(
    'stream_stock_prices',
    {
      title: 'Stream stock prices',
      description: 'Watches made-up stock prices for a while and reports each move as progress.',
      inputSchema: z.object({
        symbols: z.array(z.string().min(1).max(12)).min(1).max(20).describe('Such as AAPL'),
        duration: z.number().positive().max(600).default(5).describe('Seconds'),
      }),
      annotations: READ_ONLY,
    },
    async ({ symbols, duration }, context) => {
      const walks = symbols.map((symbol) => new PriceWalk(symbol.toUpperCase()));
      const total = Math.max(1, Math.round((duration * 1000) / TICK_MS));
      const inWords = (): string[] => walks.map(({ quote }) => describeQuote(quote));
      for (let tick = 1; tick <= total; tick++) {
        for (const walk of walks) walk.step();
        await report(context, tick, total, inWords().join(', '));
        // After the report, so that the last one does not arrive together with the result.
        await sleep(TICK_MS, undefined, { signal: context.mcpReq.signal });
      }
      const quotes = walks.map(({ quote }) => quote);
      return { ...text(inWords().join('\n')), structuredContent: { quotes, ticks: total } };
    },
  );
  server.registerTool(
    'long_task',
    {
      title: 'Long task',
      description: 'Works step by step, with progress and log messages.',
      inputSchema: z.object({
        steps: z.int().min(1).max(1000).default(10),
        stepMs: z.int().min(0).max(60_000).default(200).describe('Milliseconds of one step'),
      }),
      annotations: { idempotentHint: true },
    },
    async ({ steps, stepMs }, context) => {
      for (let step = 1; step <= steps; step++) {
        await context.mcpReq.log('info', `step ${step} of ${steps}`, 'long_task');
        await report(context, step, steps, `step ${step}`);
        await sleep(stepMs, undefined, { signal: context.mcpReq.signal });
      }
      return text(`Done: ${steps} steps of ${stepMs} ms.`);
    },
  );
}

function registerForecast(server: McpServer): void {
  server.registerTool(
    'forecast',
    {
      title: 'Weather forecast',
      description: 'Makes up the weather of the next days, always the same for the same city.',
      inputSchema: z.object({
        city: z.string().min(1),
        days: z.int().min(1).max(14).default(3),
      }),
      outputSchema: z.object({
        city: z.string(),
        unit: z.literal('celsius'),
        days: z.array(
          z.object({ day: z.number(), sky: z.enum(SKIES), low: z.number(), high: z.number() }),
        ),
      }),
      annotations: READ_ONLY,
    },
    ({ city, days }) => {
      const random = randomFrom(city.toLowerCase());
      const warmth = 5 + random() * 20;
      const forecast = Array.from({ length: days }, (_, n) => {
        const low = Math.round(warmth + random() * 6 - 6);
        const sky = SKIES[Math.floor(random() * SKIES.length)] ?? 'sunny';
        return { day: n + 1, sky, low, high: low + 3 + Math.round(random() * 8) };
      });
      const structuredContent = { city, unit: 'celsius' as const, days: forecast };
      return { ...text(JSON.stringify(structuredContent)), structuredContent };
    },
  );
}

function registerChart(server: McpServer): void {
  server.registerTool(
    'chart',
    {
      title: 'Bar chart',
      description: 'Draws numbers as a bar chart and returns it as a PNG image.',
      inputSchema: z.object({
        values: z
          .array(z.number())
          .min(1)
          .max(100)
          .default([3, 5, 4, 7, 6, 9, -2, 4, 8, 11, 10, 13]),
      }),
      annotations: READ_ONLY,
    },
    ({ values }) => ({
      content: [
        { type: 'text', text: `A bar chart of ${values.length} values.` },
        { type: 'image', mimeType: 'image/png', data: drawBarChart(values).toString('base64') },
      ],
    }),
  );
}
