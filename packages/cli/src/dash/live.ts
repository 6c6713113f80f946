import { AsyncLocalStorage } from 'node:async_hooks';
import type { Readable } from 'node:stream';
import { LongwireError, type LongwireClient, type Tool } from '@longwire/client';
import { trustedHintsOf } from '@longwire/client/internal';
import {
  createRecorder,
  type CallPicture,
  type CatalogueLine,
  type Recorder,
  type RecordingMiddleware,
  type RecordableAuth,
} from '@longwire/recording';
import type { LineLog } from './line-log.js';
import { LiveLog } from './live-log.js';
import type { PageChecks } from './page-checks.js';
import { PageError } from './page-error.js';
import type { CallRequest, PageServers, PageSource } from './page-source.js';

/** How often servers are asked how they are, in milliseconds. */
const HEALTH_MS = 10_000;
/** How long a server has to list what it has, in milliseconds. */
const LIST_MS = 30_000;

/** What live servers are shown with. */
export interface LiveOptions {
  /** Removes secrets that the command knows from what a server sent. */
  readonly redact?: (value: unknown) => unknown;
  /** Given every line as JSON, such as to write it down. */
  readonly onLine?: (text: string) => void;
  /** The file of checks, of which it knows the servers then. */
  readonly checks?: PageChecks | undefined;
  /** How much may wait for one reader. Default 8 MiB. */
  readonly maxReaderBytes?: number;
}

/** A server that is shown. */
interface LiveServer {
  readonly client: LongwireClient;
  readonly stop: () => void;
  tools: readonly Tool[];
  /** The catalogue is being listed, and has to be listed again after that. */
  listing: Promise<void> | undefined;
  isStale: boolean;
}

/** Servers as they are now: what they do is recorded, and the page may ask them for more. */
export class Live implements PageSource, PageServers {
  readonly mode = 'live';
  readonly checks: PageChecks | undefined;
  readonly #lines: LiveLog;
  readonly #recorder: Recorder;
  readonly #servers = new Map<string, LiveServer>();
  readonly #ended = new AbortController();
  readonly #health: NodeJS.Timeout;
  /** Of a call that the page asked for: whoever waits for its number. */
  readonly #asked = new AsyncLocalStorage<((call: number) => void) | undefined>();

  constructor({ redact, onLine, checks, maxReaderBytes }: LiveOptions = {}) {
    this.checks = checks;
    this.#lines = new LiveLog({ canCall: true, hasValues: true, redact, onLine, maxReaderBytes });
    this.#recorder = createRecorder({
      by: (call) => {
        const begun = this.#asked.getStore();
        begun?.(call);
        return begun && { who: 'page' };
      },
      write: (line) => this.#lines.add(line),
    });
    this.#health = setInterval(() => this.#askHealth(), HEALTH_MS).unref();
  }

  get log(): LineLog {
    return this.#lines.log;
  }

  get servers(): PageServers {
    return this;
  }

  /** What records the calls to a server: the first of the middlewares of its client. */
  middleware(name: string): RecordingMiddleware {
    return this.#recorder.middleware(name);
  }

  /** What records how a server is authorized: wraps what answers for that. */
  auth<Auth extends RecordableAuth>(name: string, auth: Auth): Pick<Auth, keyof RecordableAuth> {
    return this.#recorder.auth(name, auth);
  }

  /** Shows a server, and connects to it; it stays in the picture where that fails. `target` is where it is. */
  add(name: string, client: LongwireClient, target: string): void {
    this.#recorder.server({ server: name, target });
    const stopWatching = this.#recorder.watch({ name, client });
    // A call of the page may be what connects: what is listed then is none of it.
    const list = (): void => void this.#asked.run(undefined, () => this.#list(name));
    const stops = [
      stopWatching,
      client.on('state', (state) => {
        // A session that is resumed has what it had.
        if (state.name === 'ready' && !state.resumed) list();
      }),
      client.on('notification', ({ method }) => {
        if (/^notifications\/(?:tools|resources|prompts)\/list_changed$/.test(method)) list();
      }),
    ];
    this.#servers.set(name, {
      client,
      stop: () => stops.forEach((stop) => stop()),
      tools: [],
      listing: undefined,
      isStale: false,
    });
    // Why it fails is the state's reason, which is shown.
    client.connect({ signal: this.#ended.signal }).catch(() => undefined);
  }

  async begin(request: CallRequest): Promise<number> {
    const { client, tools } = this.#serverOf(request.server);
    if (request.method === 'tools/call' && request.confirmed !== true) {
      const tool = tools.find(({ name }) => name === request.name);
      const hints = tool && trustedHintsOf(client, tool);
      if (hints?.readOnlyHint !== true) {
        throw new PageError(409, 'not-confirmed', `${request.name} may change things: confirm it`);
      }
    }
    return await new Promise((resolve, reject) => {
      const called = this.#asked.run(resolve, () => run(client, request));
      // It never left, as there is no connection; otherwise its end is a line.
      called.catch((error: unknown) => reject(asPageError(error)));
    });
  }

  cancel(call: number): boolean {
    const options = { code: 'aborted', certainty: 'outcome-unknown' } as const;
    return this.#recorder.cancel(call, new LongwireError('a person cancelled it', options));
  }

  async subscribe(server: string, uri: string, on: boolean): Promise<void> {
    const { client } = this.#serverOf(server);
    const options = { signal: this.#ended.signal };
    await (
      on ? client.subscribeResource(uri, options) : client.unsubscribeResource(uri, options)
    ).catch((error: unknown) => {
      throw asPageError(error);
    });
  }

  async refresh(server: string): Promise<void> {
    const { client } = this.#serverOf(server);
    await client.connect({ signal: this.#ended.signal }).catch((error: unknown) => {
      throw asPageError(error);
    });
    await this.#list(server);
  }

  async call(call: number): Promise<CallPicture | undefined> {
    return this.#lines.call(call);
  }

  recording(): Readable {
    return this.#lines.recording();
  }

  /** Says good-bye to the page. The clients stay open, and are not recorded any more. */
  async close(): Promise<void> {
    clearInterval(this.#health);
    this.#ended.abort();
    for (const { stop } of this.#servers.values()) stop();
    for (const { listing } of this.#servers.values()) await listing;
    this.#lines.flush();
    await this.log.feed.close();
  }

  #serverOf(name: string): LiveServer {
    const server = this.#servers.get(name);
    if (server === undefined) throw new PageError(404, 'not-found', 'There is no such server.');
    return server;
  }

  /** Lists what a server has; once more where that changes meanwhile. */
  #list(name: string): Promise<void> {
    const server = this.#serverOf(name);
    if (server.listing !== undefined) {
      server.isStale = true;
      return server.listing;
    }
    server.listing = (async () => {
      do {
        server.isStale = false;
        await this.#listOnce(name, server);
      } while (server.isStale && !this.#ended.signal.aborted);
      server.listing = undefined;
    })();
    return server.listing;
  }

  async #listOnce(name: string, server: LiveServer): Promise<void> {
    const { client } = server;
    const { capabilities } = client;
    const options = { signal: this.#ended.signal, deadlineMs: LIST_MS };
    const list = async (
      kind: CatalogueLine['kind'],
      listed: Promise<readonly object[]>,
    ): Promise<void> => {
      const items = await listed;
      this.#recorder.catalogue({ server: name, kind, items: items as CatalogueLine['items'] });
    };
    const lists: Promise<void>[] = [];
    if (capabilities?.tools !== undefined) {
      const tools = client.listTools(options).then((listed) => (server.tools = listed));
      lists.push(list('tools', tools));
    }
    if (capabilities?.resources !== undefined) {
      lists.push(list('resources', client.listResources(options)));
      lists.push(list('templates', client.listResourceTemplates(options)));
    }
    if (capabilities?.prompts !== undefined)
      lists.push(list('prompts', client.listPrompts(options)));
    if (capabilities?.logging !== undefined) lists.push(client.setLogLevel('debug', options));
    // What fails is a call, which is shown with its error.
    await Promise.allSettled(lists);
  }

  #askHealth(): void {
    for (const [server, { client }] of this.#servers) {
      if (client.state.name === 'idle' || client.state.name === 'closed') continue;
      client.health({ signal: this.#ended.signal }).then(
        ({ status, reason, latencyMs }) =>
          this.#recorder.health({
            server,
            status,
            ...(reason !== undefined && { reason }),
            ...(latencyMs !== undefined && { latencyMs }),
          }),
        // It is over.
        () => undefined,
      );
    }
  }
}

function run(
  client: LongwireClient,
  { method, name, arguments: args = {} }: CallRequest,
): Promise<unknown> {
  switch (method) {
    case 'tools/call':
      // A listener, so that the server is asked for progress.
      return client.callTool(name, args, { onProgress: () => undefined });
    case 'resources/read':
      return client.readResource(name);
    case 'prompts/get':
      return client.getPrompt(name, args as Record<string, string>);
  }
}

function asPageError(error: unknown): PageError {
  if (!(error instanceof LongwireError)) {
    return new PageError(500, 'error', error instanceof Error ? error.message : String(error));
  }
  return new PageError(502, error.code, error.summary);
}
