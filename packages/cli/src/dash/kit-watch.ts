import type { Readable } from 'node:stream';
import type { CallGate, KitObserver, MountWatch, WatchedMount } from '@longwire/server';
import { createRecorder, type CallPicture, type Recorder } from '@longwire/recording';
import type { FastifyInstance } from 'fastify';
import { refuseForm } from './guard.js';
import { KitCalls } from './kit-calls.js';
import { KitCatalogue } from './kit-catalogue.js';
import { KitNodes } from './kit-nodes.js';
import { KitSessions } from './kit-sessions.js';
import type { LineLog } from './line-log.js';
import { LiveLog } from './live-log.js';
import { PageError } from './page-error.js';
import { pageDirectory } from './page-files.js';
import { addPage, PAGE_HEADERS } from './page-routes.js';
import type { PageSource } from './page-source.js';

/** What a mount is shown with. */
export interface KitWatchOptions {
  readonly hasValues: boolean;
}

/** A mount of the server kit, as its page shows it: one server, with its sessions; in a cluster, one for each node. */
export class KitWatch implements MountWatch, PageSource {
  readonly mode = 'live';
  readonly gate: CallGate;
  readonly observer: KitObserver;
  readonly #lines: LiveLog;
  readonly #recorder: Recorder;
  readonly #server: string;
  /** Missing where it is alone. */
  readonly #nodes: KitNodes | undefined;
  #closing: Promise<void> | undefined;

  constructor({ prefix, nodes }: WatchedMount, { hasValues }: KitWatchOptions) {
    this.#lines = new LiveLog({
      canCall: false,
      hasValues,
      onLine: (text, line) => this.#nodes?.add(line, text),
    });
    const name = prefix.slice(1) || 'server';
    const server = nodes === undefined ? name : `${name}@${nodes.name}`;
    this.#server = server;
    this.#nodes = nodes && new KitNodes({ nodes, server, lines: this.#lines });
    let caller: string | undefined;
    this.#recorder = createRecorder({
      by: () => (caller === undefined ? undefined : { who: caller }),
      write: (line) => this.#lines.add(line),
    });
    const recorder = this.#recorder;
    const catalogue = new KitCatalogue({ server, recorder, hasValues });
    const sessions = new KitSessions({ server, recorder });
    const calls = new KitCalls({
      hasValues,
      record: (principal, request, next) => {
        caller = principal;
        const recorded = recorder.middleware(server)(request, next);
        caller = undefined;
        // What becomes of it is the kit's.
        recorded.catch(() => undefined);
      },
    });
    this.gate = {
      admit: (call) => calls.begin(call),
      around: (call, deliver) => {
        calls.deliver(call);
        deliver();
      },
      leave: (call, outcome) => {
        calls.end(call, outcome);
        if (outcome.kind !== 'result') return;
        catalogue.learn(call, outcome.result);
        sessions.learn(call, outcome.result);
      },
    };
    this.observer = {
      sessionOpened: (session) => sessions.opened(session),
      sessionEnded: (session) => sessions.ended(session),
      notificationSent: ({ method, params }, call) => {
        if (method === 'notifications/progress') return calls.progress(call, params);
        catalogue.heard(method);
        recorder.notification({ server, method, params: hasValues ? params : publicPart(params) });
      },
    };
    recorder.server({ server, target: `${prefix}/mcp` });
    recorder.state({ server, state: 'ready' });
    sessions.tell();
  }

  get log(): LineLog {
    return this.#lines.log;
  }

  register(app: FastifyInstance): void {
    app.addHook('onRequest', async (request, reply) => {
      reply.headers(PAGE_HEADERS);
      const refusal = refuseForm(request);
      if (refusal !== undefined) {
        throw new PageError(refusal.status, refusal.code, refusal.message);
      }
      // Addresses in the page are relative to its own, which ends with a slash.
      const [path = ''] = request.originalUrl.split('?');
      if (path.endsWith('/page')) return reply.redirect('page/', 307);
      return undefined;
    });
    addPage(app, this, pageDirectory());
  }

  async call(call: number): Promise<CallPicture | undefined> {
    return this.#nodes === undefined ? this.#lines.call(call) : this.#nodes.call(call);
  }

  recording(): Readable {
    return this.#lines.recording();
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#recorder.state({ server: this.#server, state: 'closed' });
    this.#lines.flush();
    this.#nodes?.close();
    await this.log.feed.close();
  }
}

/** What may be shown of a notification where no values are: how grave a message is, and whose. */
function publicPart(params: Readonly<Record<string, unknown>> = {}): object | undefined {
  const { level, logger } = params;
  const shown = {
    ...(typeof level === 'string' && { level }),
    ...(typeof logger === 'string' && { logger }),
  };
  return Object.keys(shown).length === 0 ? undefined : shown;
}
