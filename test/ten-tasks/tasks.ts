import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import { startScriptedClaude } from '../../packages/agent/test/support/scripted-claude.ts';
import { Market } from './market.ts';
import { until } from '../support/until.ts';

/** What a program of a task is given, and what is looked at when it has ended. */
export interface Given {
  env: Record<string, string>;
  onLine?: (line: string) => void;
  /** @throws when the servers saw something else than they should have. */
  check?: () => void | Promise<void>;
}

/** What ends what was started, run from the last to the first. */
export type Closers = (() => unknown)[];

/** One task: what is to be done, and what every program prints that does it. */
export interface Task {
  /** The name of its programs. */
  name: string;
  title: string;
  /** What must happen, for the page. */
  wanted: string;
  prints: string[];
  /** Starts what the program needs, and adds what ends it. */
  begin: (closers: Closers) => Promise<Given>;
}

export const TASKS: readonly Task[] = [
  {
    name: 'list',
    title: 'Connect and list',
    wanted: 'the names of the tools, and what one of them answers',
    prints: ['price, buy, halt, ticker', 'AAPL 231.5'],
    begin: async (closers) => marketOnly(await open(closers)),
  },
  {
    name: 'progress',
    title: 'Call with progress and cancel',
    wanted: 'every step is told; the server ends the call that is cancelled; the next is answered',
    prints: ['1 of 3', '2 of 3', '3 of 3', '3 ticks', 'cancelled', 'AAPL 231.5'],
    begin: async (closers) => {
      const market = await open(closers);
      return {
        ...marketOnly(market),
        check: () => until(() => market.cancelled === 1),
      };
    },
  },
  {
    name: 'renewal',
    title: 'A token renewed once for parallel calls',
    wanted: 'three calls find that the token is no longer good: one new token is asked for',
    prints: ['AAPL 231.5', 'AAPL 231.5, MSFT 498.25, NVDA 182.75'],
    begin: async (closers) => {
      let issued = 0;
      let revoked = 0;
      const issuer = createServer((_request, response) => {
        issued += 1;
        response.end(`token-${issued}`);
      });
      await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
      closers.push(() => void issuer.close());
      const market = await open(
        closers,
        new Market({
          admits: (authorization) => {
            const [, number] = /^Bearer token-(\d+)$/.exec(authorization ?? '') ?? [];
            return Number(number) > revoked;
          },
          // The first call is the last that the first token is good for.
          onCall: () => (revoked = 1),
        }),
      );
      const { port } = issuer.address() as AddressInfo;
      const env = { MARKET_URL: market.url, ISSUER_URL: `http://127.0.0.1:${port}/` };
      return { env, check: () => expect(issued).toBe(2) };
    },
  },
  {
    name: 'restart',
    title: 'A restart in the middle',
    wanted: 'the server ends during a call that only looks, and comes back: it is answered',
    prints: ['AAPL 231.5', '10 ticks', 'MSFT 498.25'],
    begin: async (closers) => {
      let restarts = 0;
      const market: Market = new Market({
        onCall: (tool) => {
          if (tool !== 'ticker' || restarts++ > 0) return;
          setImmediate(() => void market.restart());
        },
      });
      await open(closers, market);
      const check = (): void =>
        expect(market.calls).toEqual(['price', 'ticker', 'ticker', 'price']);
      return { ...marketOnly(market), check };
    },
  },
  {
    name: 'three',
    title: 'Three servers, one of them dead',
    wanted: 'the other two are listed and called; which one is down is said',
    prints: ['a: 4 tools', 'b: 4 tools', 'c: down', 'AAPL 231.5', 'AAPL 231.5'],
    begin: async (closers) => {
      const [a, b, c] = [await open(closers), await open(closers), await open(closers)];
      await c[Symbol.asyncDispose]();
      const urls = { a: a.url, b: b.url, c: c.url };
      return { env: { MARKET_URLS: JSON.stringify(urls) } };
    },
  },
  {
    name: 'cache',
    title: 'A cache',
    wanted: 'a tool that only looks is asked once a minute for the same; one that buys, every time',
    prints: ['AAPL 231.5', 'AAPL 231.5', 'MSFT 498.25', 'bought AAPL', 'bought AAPL'],
    begin: async (closers) => {
      const market = await open(closers);
      const check = (): void => expect(market.calls).toEqual(['price', 'price', 'buy', 'buy']);
      return { ...marketOnly(market), check };
    },
  },
  {
    name: 'observe',
    title: 'Logs with metrics and traces',
    wanted: 'a line, a figure and a span for every call, and which of them failed',
    prints: [
      'logged: price ok, price ok, halt error',
      'counted: halt 1, price 2',
      'traced: tools/call price, tools/call price, tools/call halt',
    ],
    begin: async (closers) => marketOnly(await open(closers)),
  },
  {
    name: 'follow',
    title: 'A resource followed over a restart',
    wanted: 'what it becomes is told before the restart and after it',
    prints: ['opening', 'moving', 'closing'],
    begin: async (closers) => {
      const market = await open(closers);
      // A notification says that there may be something new; it comes more often than that.
      const timer = setInterval(() => market.tellNews(), 50);
      closers.push(() => clearInterval(timer));
      let restarting: Promise<void> | undefined;
      closers.push(() => restarting);
      const onLine = (line: string): void => {
        if (line === 'opening') market.news = 'moving';
        if (line !== 'moving' || restarting !== undefined) return;
        restarting = market.restart().then(() => void (market.news = 'closing'));
      };
      return { ...marketOnly(market), onLine };
    },
  },
  {
    name: 'unit-test',
    title: 'A unit test with a server in the process',
    wanted: 'no port, no process',
    prints: ['passed'],
    begin: async () => ({ env: {} }),
  },
  {
    name: 'claude',
    title: 'Claude with tools and approval',
    wanted: 'a tool that only looks runs; for another a person is asked, who says no',
    prints: ['may it buy? no', 'Apple stands at 231.5; nothing was bought.'],
    begin: async (closers) => {
      const market = await open(closers);
      const claude = await startScriptedClaude([
        {
          calls: [
            { name: 'price', arguments: { symbol: 'AAPL' } },
            { name: 'buy', arguments: { symbol: 'AAPL' } },
          ],
        },
        { text: 'Apple stands at 231.5; nothing was bought.' },
      ]);
      closers.push(() => claude.close());
      const env = {
        MARKET_URL: market.url,
        ANTHROPIC_BASE_URL: claude.url,
        ANTHROPIC_API_KEY: 'none',
      };
      const check = (): void => {
        expect(market.calls).toEqual(['price']);
        // Of a conversation that the API keeps, only what is new comes.
        const last = claude.proxy.requests.at(-1)?.text;
        expect(last).toContain('AAPL 231.5');
        expect(last).toContain('declined');
      };
      return { env, check };
    },
  },
];

async function open(closers: Closers, market = new Market()): Promise<Market> {
  closers.push(() => market[Symbol.asyncDispose]());
  return market.start();
}

function marketOnly(market: Market): Given {
  return { env: { MARKET_URL: market.url } };
}
