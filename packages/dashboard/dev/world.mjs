/**
 * Made-up lines, as servers and programs would cause them. The same seed gives the same lines.
 */
import { CALLS, CATALOGUES, KNOWN, RESULT } from './catalogue.mjs';

/** @typedef {import('@longwire/recording').RecordedLine} RecordedLine */
/** @typedef {import('@longwire/recording').RecordedError} RecordedError */

/** @type {RecordedError} */
const LOST = { code: 'connection-lost', message: 'The stream of search ended: socket hang up.' };

const MESSAGE = 'notifications/message';
const LOGS = /** @type {const} */ ([
  ['metrics', 'info', 'scraper', 'scraped 214 targets in 1.2 s'],
  ['metrics', 'warning', 'alerts', 'p95 of edge is above 400 ms'],
  ['metrics', 'error', 'scraper', 'target 10.0.4.17:9100 did not answer'],
  ['search', 'debug', 'index', 'segment 4211 merged'],
  ['search', 'notice', 'index', 'a new version of the index is in use'],
  ['files', 'info', 'watch', '/srv/notes.md changed'],
]);

/** Servers that a program watches, and its calls. */
export class World {
  #seed;
  #call = 0;
  #line;
  /** @type {{ at: number, run: (at: number) => void }[]} */
  #later = [];
  /** @type {Map<string, string>} */
  #subscribed = new Map();
  #cpu = 0.4;

  /** @param {(line: RecordedLine) => void} line takes each line @param {number} seed */
  constructor(line, seed = 1) {
    this.#line = line;
    this.#seed = seed;
  }

  /** The servers connect. @param {number} at */
  begin(at) {
    for (const [server, known] of Object.entries(KNOWN)) {
      this.#line({ type: 'state', server, at, state: 'connecting', attempt: 1 });
      this.#line({ type: 'server', server, at: at + 40, ...known });
      this.#line({ type: 'state', server, at: at + 42, state: 'ready', connectMs: 42 });
      for (const [kind, items = []] of Object.entries(CATALOGUES[server] ?? {})) {
        const kindName = /** @type {import('@longwire/recording').CatalogueLine['kind']} */ (kind);
        this.#line({ type: 'catalogue', server, at: at + 60, kind: kindName, items });
      }
    }
  }

  /** What happens in the next tenth of a second. @param {number} at */
  step(at) {
    for (let next = this.#next(at); next !== undefined; next = this.#next(at)) next.run(next.at);
    if (this.#random() < 0.35) this.#programCalls(at);
    if (this.#random() < 0.2) this.#logs(at);
    if (this.#random() < 0.2) this.#numbers(at);
    for (const [uri, server] of this.#subscribed) {
      if (this.#random() < 0.05) this.#updated(at, server, uri);
    }
  }

  /** Subscribes to a resource, or ends that; the server accepts it at once. */
  subscribe(at, server, uri, on) {
    const call = ++this.#call;
    const method = on ? 'resources/subscribe' : 'resources/unsubscribe';
    this.#line({ type: 'call', server, at, call, method, name: uri, by: { who: 'page' } });
    this.#line({ type: 'attempt', server, at, call, attempt: 1, id: call });
    const end = { call, durationMs: 2, outcome: /** @type {const} */ ('result'), result: {} };
    this.#line({ type: 'end', server, at: at + 2, ...end });
    if (on) this.#subscribed.set(uri, server);
    else this.#subscribed.delete(uri);
  }

  /**
   * A call.
   *
   * @param {number} at
   * @param {{ server: string, method?: string, name: string, arguments?: unknown, by?: string }} given
   * @param {number} durationMs
   */
  call(at, { server, method = 'tools/call', name, arguments: args, by = 'agent' }, durationMs) {
    const call = ++this.#call;
    this.#line({ type: 'call', server, at, call, method, name, arguments: args, by: { who: by } });
    this.#line({ type: 'attempt', server, at, call, attempt: 1, id: call });
    if (durationMs > 1000) this.#progress(server, call, at, durationMs);
    const isToolError = this.#random() < 0.03;
    this.#at(at + durationMs, (end) =>
      this.#line({
        type: 'end',
        server,
        at: end,
        call,
        durationMs,
        outcome: isToolError ? 'tool-error' : 'result',
        result: isToolError
          ? { isError: true, content: [{ type: 'text', text: 'no such file' }] }
          : name === 'read_file'
            ? {
                content: [{ type: 'text', text: `# Notes\n\n${'A line of notes.\n'.repeat(400)}` }],
              }
            : RESULT,
      }),
    );
    return call;
  }

  /** Ends a call from here. @param {number} call @param {string} server @param {number} at */
  cancel(call, server, at) {
    this.#end(call, server, at, 1000, {
      code: 'aborted',
      certainty: 'outcome-unknown',
      message: 'The call was cancelled by the page.',
    });
  }

  /** The connection to `search` is lost with two calls in flight, and comes back. @param {number} at */
  outage(at) {
    const server = 'search';
    const safe = this.#started(at, server, 'search', { query: 'what survives' });
    const unsafe = this.#started(at, server, 'reindex', {});
    this.#line({
      type: 'state',
      server,
      at: at + 80,
      state: 'reconnecting',
      attempt: 1,
      reason: LOST,
    });
    this.#end(unsafe, server, at + 82, 82, { ...LOST, certainty: 'outcome-unknown' });
    this.#at(at + 600, (then) => {
      this.#line({
        type: 'state',
        server,
        at: then,
        state: 'connecting',
        attempt: 1,
        reason: LOST,
      });
    });
    this.#at(at + 900, (then) => {
      this.#line({
        type: 'state',
        server,
        at: then,
        state: 'ready',
        connectMs: 31,
        resumed: false,
      });
      this.#line({ type: 'attempt', server, at: then + 1, call: safe, attempt: 2, id: 9000 });
    });
    this.#at(at + 1080, (then) =>
      this.#line({
        type: 'end',
        server,
        at: then,
        call: safe,
        durationMs: 1080,
        outcome: 'result',
        result: RESULT,
      }),
    );
    this.#line({ type: 'error', server, at: at + 81, error: LOST });
    const refused = this.#started(at + 20, 'files', 'write_file', {
      path: '/etc/passwd',
      text: '',
    });
    this.#end(refused, 'files', at + 30, 10, {
      code: 'forbidden',
      certainty: 'refused',
      message: 'Paths outside of /srv are not allowed.',
    });
  }

  #started(at, server, name, args) {
    const call = ++this.#call;
    const method = 'tools/call';
    this.#line({ type: 'call', server, at, call, method, name, arguments: args });
    this.#line({ type: 'attempt', server, at, call, attempt: 1, id: call });
    return call;
  }

  #end(call, server, at, durationMs, error) {
    this.#line({ type: 'end', server, at, call, durationMs, outcome: 'error', error });
  }

  #progress(server, call, at, durationMs) {
    for (let done = 1; done < 20; done++) {
      this.#at(at + (durationMs * done) / 20, (then) => {
        const message = `segment ${done * 12} of 240`;
        this.#line({
          type: 'progress',
          server,
          at: then,
          call,
          progress: done * 12,
          total: 240,
          message,
        });
      });
    }
  }

  #programCalls(at) {
    const [server, name, args, durationMs] = this.#oneOf(CALLS);
    this.call(at, { server, name, arguments: args }, durationMs * (0.5 + this.#random() * 1.5));
  }

  #logs(at) {
    const [server, level, logger, data] = this.#oneOf(LOGS);
    const params = { level, logger, data };
    this.#line({ type: 'notification', server, at, method: MESSAGE, params });
  }

  #numbers(at) {
    this.#cpu = Math.min(0.97, Math.max(0.05, this.#cpu + (this.#random() - 0.5) * 0.12));
    const data = {
      cpu: Number(this.#cpu.toFixed(3)),
      memory: { usedMb: Math.round(700 + 400 * this.#cpu + this.#random() * 40) },
    };
    const params = { level: 'info', logger: 'machine', data };
    this.#line({ type: 'notification', server: 'metrics', at, method: MESSAGE, params });
  }

  #updated(at, server, uri) {
    const method = 'notifications/resources/updated';
    this.#line({ type: 'notification', server, at, method, params: { uri } });
  }

  #at(at, run) {
    this.#later.push({ at, run });
  }

  #next(at) {
    const index = this.#later.findIndex((one) => one.at <= at);
    return index === -1 ? undefined : this.#later.splice(index, 1)[0];
  }

  #oneOf(list) {
    return list[Math.floor(this.#random() * list.length)];
  }

  #random() {
    this.#seed = (this.#seed * 16_807) % 2_147_483_647;
    return this.#seed / 2_147_483_647;
  }
}
