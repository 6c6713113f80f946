import { ClientProcess } from './client-process.mjs';
import { Measurements, nameOf, seconds, told } from './measurements.mjs';
import { HalfOpenProxy } from './server/half-open-proxy.mjs';
import { until } from './server/http.mjs';
import { SseServer } from './server/sse.mjs';
import { StatelessServer } from './server/stateless.mjs';
import { StdioServer } from './server/stdio.mjs';
import { StreamableServer } from './server/streamable.mjs';
import { answerOf, CONTROL } from './server/workshop.mjs';
import { ToolEventsServer } from './server/tool-events.mjs';

/**
 * @typedef {import('./clients/adapter.mjs').ConnectOptions} ConnectOptions
 * @typedef {import('./clients/adapter.mjs').Target} Target
 * @typedef {import('./clients/adapter.mjs').Transport} Transport
 * @typedef {SseServer | StreamableServer | StatelessServer | ToolEventsServer} Server
 *
 * @typedef {object} Settings
 * @property {number} awayMs how long the server of scenario F is away
 */

const CONNECT_PATIENCE_MS = 15_000;
/** Closing is to be seen by the server that soon. */
const CLOSED_MS = 1000;

/** Everything that is to be ended when a run is interrupted. @type {Set<Stage>} */
const stages = new Set();

/** Ends the servers of all stages. */
export async function clearStages() {
  await Promise.all([...stages].map((stage) => stage.clear()));
}

/** Where one client meets one scenario: starts servers and processes, and ends them all. */
export class Stage {
  measurements = new Measurements();
  settings;
  transport;
  /** @type {import('./clients.mjs').Client} */
  #client;
  #prefix = '';
  /** @type {(() => unknown)[]} */
  #started = [];

  /**
   * @param {import('./clients.mjs').Client} client
   * @param {Settings} settings
   * @param {Transport} transport
   */
  constructor(client, settings, transport) {
    this.#client = client;
    this.settings = settings;
    this.transport = transport;
    stages.add(this);
  }

  /**
   * The same stage for a part of the scenario, whose measurements are named for it.
   *
   * @param {string} name
   */
  part(name) {
    const part = new Stage(this.#client, this.settings, this.transport);
    part.#prefix = `${this.#prefix}${name}: `;
    this.#started.push(() => part.clear());
    return part;
  }

  /**
   * Runs the parts of the scenario side by side; what one has started ends with it.
   *
   * @param {Record<string, (part: Stage) => Promise<unknown>>} jobs by the names of the parts
   * @param {number} [atATime]
   */
  async inParts(jobs, atATime = Infinity) {
    const parts = Object.entries(jobs).map(([name, job]) => ({ part: this.part(name), job }));
    const waiting = [...parts];
    const lane = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        await next.job(next.part);
        await next.part.clear();
      }
    };
    await Promise.all(Array.from({ length: Math.min(atATime, parts.length) }, lane));
    this.take(parts.map(({ part }) => part));
  }

  /** Takes what was found in parts, in their order. @param {readonly Stage[]} parts */
  take(parts) {
    for (const { measurements } of parts) this.measurements.rows.push(...measurements.rows);
  }

  /** @param {string} what @param {boolean} ok @param {string} measured */
  check(what, ok, measured) {
    this.measurements.check(this.#prefix + what, ok, measured);
  }

  /** @param {string} what @param {string | number} measured */
  figure(what, measured) {
    this.measurements.figure(this.#prefix + what, measured);
  }

  /** A server of HTTP+SSE. */
  sseServer() {
    return this.place(new SseServer());
  }

  /** A server of Streamable HTTP with sessions. */
  streamableServer() {
    return this.place(new StreamableServer());
  }

  /** A server of the stateless protocol. */
  statelessServer() {
    return this.place(new StatelessServer());
  }

  /** @param {import('./server/stdio.mjs').Wrong} wrong */
  stdioServer(wrong) {
    return this.place(new StdioServer(wrong));
  }

  /** A server of this stage's transport. @returns {Promise<Server>} */
  server() {
    switch (this.transport) {
      case 'sse':
        return this.sseServer();
      case 'streamable':
        return this.streamableServer();
      case 'stateless':
        return this.statelessServer();
      case 'tool-events':
        return this.place(new ToolEventsServer());
      case 'eras':
      case 'stdio':
        throw new Error(`a scenario of ${this.transport} names its server`);
    }
  }

  /** @param {Server} server */
  proxy(server) {
    return this.place(new HalfOpenProxy(server.http.port, server.path));
  }

  /**
   * Starts something that listens, for as long as this stage.
   *
   * @template {{ start(): Promise<unknown>, close(): Promise<void> }} T
   * @param {T} place
   */
  async place(place) {
    this.#started.push(() => place.close());
    await place.start();
    return place;
  }

  /** A client in a process of its own, not connected. */
  process() {
    const client = new ClientProcess(this.#client, this.transport);
    this.#started.push(() => client.kill());
    return client;
  }

  /**
   * A client that is connected and knows the tools.
   *
   * @param {Target} target
   * @param {ConnectOptions} [options]
   * @returns {Promise<ClientProcess | undefined>} undefined if it cannot; that is a row
   */
  async connected(target, options = {}) {
    const client = this.process();
    await client.create(target, options);
    const outcome = await client.connect(CONNECT_PATIENCE_MS);
    const listed = outcome.ok ? await client.listTools(CONNECT_PATIENCE_MS) : outcome;
    // Shows that the server works while nothing goes wrong.
    const called = listed.ok
      ? await client.call('read', { key: CONTROL }, {}, CONNECT_PATIENCE_MS)
      : listed;
    const works = called.ok && called.text === answerOf('read', CONTROL);
    // Where memory is counted from.
    if (works) await client.stats();
    this.#checkRoutine('connects, lists the tools and calls one', works, told(called));
    return works ? client : undefined;
  }

  /**
   * Closes a client: nothing may be left of it.
   *
   * @param {ClientProcess} client
   * @param {Server | StdioServer} server
   * @param {{ counts?: boolean }} [options] whether what the server counted is a row
   */
  async finish(client, server, { counts = true } = {}) {
    const { never, left = [] } = await client.close();
    await until(() => server.left.length === 0, CLOSED_MS);
    const leftAtServer = server.left;
    const { byItself, code, ms } = await client.quit();
    const remains = [
      ...(never === undefined ? [] : [`close() ${never}`]),
      ...left,
      ...leftAtServer,
      ...(byItself ? [] : ['the process did not end']),
      ...(byItself && code !== 0 ? [`exit code ${code}`] : []),
    ];
    const measured = remains.length === 0 ? `nothing, ended in ${seconds(ms)}` : remains.join(', ');
    if (counts) this.figure('at the server', server.counts);
    this.#checkRoutine('after close() nothing is left open', remains.length === 0, measured);
    const { uncaught } = client;
    const named = uncaught.length === 0 ? 'none' : uncaught.map(nameOf).join('; ');
    this.#checkRoutine('no rejection or exception is left uncaught', uncaught.length === 0, named);
  }

  /** @param {string} what @param {boolean} ok @param {string} measured */
  #checkRoutine(what, ok, measured) {
    this.measurements.checkRoutine(this.#prefix + what, ok, measured);
  }

  /** Ends all that was started here. */
  async clear() {
    stages.delete(this);
    await Promise.all(this.#started.splice(0).map((end) => end()));
  }
}
