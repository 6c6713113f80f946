import { RefusedError, serve, type McpMount, type Serving } from '@longwire/server';
import { McpServer, type CallToolResult } from '@modelcontextprotocol/server';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';

const PRICES = { AAPL: 231.5, MSFT: 498.25, NVDA: 182.75 };
export const NEWS = 'market://news';

/** What a market is asked and may be told. */
export interface MarketOptions {
  /** Whether a request may pass with this `Authorization`. Default: everybody is let in. */
  admits?: (authorization: string | undefined) => boolean;
  /** Told of every call of a tool, when it begins. */
  onCall?: (tool: string) => void;
}

/** A server of MCP that all programs talk to. It can be restarted on its port. */
export class Market implements AsyncDisposable {
  /** The tools that ran, in order. */
  readonly calls: string[] = [];
  /** How many calls of `ticker` were cancelled. */
  cancelled = 0;
  news = 'opening';
  /** Fulfilled when no call of `ticker` runs: prices wait for that. */
  #ticking = Promise.resolve();
  readonly #options: MarketOptions;
  #serving: Serving | undefined;
  #mount: McpMount | undefined;
  #url = '';

  constructor(options: MarketOptions = {}) {
    this.#options = options;
  }

  get url(): string {
    return this.#url;
  }

  async start(): Promise<this> {
    const { admits } = this.#options;
    this.#serving = await serve({
      create: () => this.#create(),
      onMount: (mount) => (this.#mount = mount),
      ...(this.#url === '' ? {} : { port: Number(new URL(this.#url).port) }),
      ...(admits && {
        auth: ({ headers }) => {
          if (admits(headers.authorization)) return { id: 'somebody' };
          throw new RefusedError({ status: 401, code: -32_001, message: 'a token, please' });
        },
      }),
    });
    this.#url = this.#serving.url;
    return this;
  }

  /** Ends everything that the server holds, and lets it come back after a moment. */
  async restart(): Promise<void> {
    await this.#serving?.close();
    await sleep(200);
    await this.start();
  }

  /** Says to those that subscribed that the news may be other ones. */
  tellNews(): void {
    this.#mount?.notify.resourceUpdated(NEWS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#serving?.close();
  }

  #create(): McpServer {
    const server = new McpServer(
      { name: 'market', version: '1.0.0' },
      { capabilities: { resources: { subscribe: true } } },
    );
    const symbol = z.enum(['AAPL', 'MSFT', 'NVDA']);
    const called = (tool: string): void => {
      this.calls.push(tool);
      this.#options.onCall?.(tool);
    };
    const looks = { readOnlyHint: true };
    server.registerTool(
      'price',
      { inputSchema: z.object({ symbol }), annotations: looks },
      async (args) => {
        called('price');
        await this.#ticking;
        return text(`${args.symbol} ${PRICES[args.symbol]}`);
      },
    );
    server.registerTool('buy', { inputSchema: z.object({ symbol }) }, (args) => {
      called('buy');
      return text(`bought ${args.symbol}`);
    });
    server.registerTool('halt', { annotations: looks }, () => {
      called('halt');
      return { ...text('there is no trade today'), isError: true };
    });
    server.registerTool(
      'ticker',
      { inputSchema: z.object({ ticks: z.number() }), annotations: looks },
      async ({ ticks }, { mcpReq: { _meta, notify, signal } }) => {
        called('ticker');
        const progressToken = _meta?.progressToken;
        const tick = async (): Promise<void> => {
          for (let progress = 1; progress <= ticks && !signal.aborted; progress++) {
            const params = { progressToken: progressToken ?? '', progress, total: ticks };
            if (progressToken !== undefined) {
              await notify({ method: 'notifications/progress', params });
            }
            await sleep(20);
          }
        };
        const ticking = tick().finally(() => {
          if (signal.aborted) this.cancelled += 1;
        });
        this.#ticking = ticking.catch(() => {});
        await ticking;
        return text(`${ticks} ticks`);
      },
    );
    server.registerResource('news', NEWS, {}, () => ({
      contents: [{ uri: NEWS, text: this.news }],
    }));
    for (const method of ['resources/subscribe', 'resources/unsubscribe'] as const) {
      server.server.setRequestHandler(method, () => ({}));
    }
    return server;
  }
}

function text(line: string): CallToolResult {
  return { content: [{ type: 'text', text: line }] };
}
