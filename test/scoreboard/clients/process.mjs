/**
 * One client in a process of its own: takes orders from its parent, tells how each settled, and
 * what nobody caught. Ends with its parent; and by itself, once told to quit, if nothing is open.
 *
 * Arguments: the adapter's module, a file of the package from which the client is resolved.
 */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** @typedef {import('./adapter.mjs').Adapter} Adapter */

const ELICITATION_MS = 800;
/** How long what was closed may take to be gone. */
const CLOSING_MS = 500;

const [adapterModule = '', resolvedFrom = ''] = process.argv.slice(2);
let leaving = false;
let notifications = 0;
let toolsChanged = 0;
let listenerMs = 0;
let rssAtStart = 0;

process.on('disconnect', () => {
  if (!leaving) process.exit();
});
process.on('unhandledRejection', (error) => tell({ uncaught: described(error) }));
process.on('uncaughtException', (error) => tell({ uncaught: described(error) }));

process.on('message', takeOrder);
// The channel to the parent and the pipe of stderr count as open; they are nobody's fault.
void process.stderr;
const openAtStart = process.getActiveResourcesInfo();

const { open } = await import(adapterModule);
/** @type {Adapter} */
const adapter = open({
  load: createRequire(resolvedFrom),
  onNotification: () => {
    notifications += 1;
    const busyUntil = performance.now() + listenerMs;
    while (performance.now() < busyUntil);
  },
  onToolsChanged: () => (toolsChanged += 1),
  onState: (/** @type {string} */ state) => tell({ state }),
  elicit: async (/** @type {string} */ message) => {
    if (message === 'slow') await sleep(ELICITATION_MS);
    return { action: 'accept', content: { echo: message } };
  },
});

/** @type {Record<string, (order: any) => Promise<object>>} */
const ORDERS = {
  async create({ target, options }) {
    listenerMs = options.listenerMs ?? 0;
    adapter.create(target, options);
    return {};
  },
  async connect({ abortAfterMs }) {
    await adapter.connect(signalAfter(abortAfterMs));
    return {};
  },
  async listTools() {
    return { tools: await adapter.listTools() };
  },
  async call({ tool, args, options: { abortAfterMs, ...options } }) {
    let progress = 0;
    const signal = signalAfter(abortAfterMs);
    const onProgress = () => (progress += 1);
    const result = await adapter.call(tool, args, { ...options, signal, onProgress });
    const text = result.content.map((block) => block.text).join('');
    if (result.isError) throw Object.assign(new Error(text), { name: 'ToolError' });
    return { text: text.slice(0, 200), length: text.length, progress };
  },
  async stats() {
    rssAtStart ||= process.memoryUsage.rss();
    return {
      rssGrowthMiB: (peakRssBytes() - rssAtStart) / 2 ** 20,
      droppedAnswers: adapter.droppedAnswers(),
      notifications,
      toolsChanged,
    };
  },
  async close() {
    await adapter.close();
    const endAt = performance.now() + CLOSING_MS;
    while (left().length > 0 && performance.now() < endAt) {
      await sleep(10, undefined, { ref: false });
    }
    return { left: left() };
  },
};

tell({ ready: true });

/** @param {any} order */
function takeOrder(order) {
  const startedAt = performance.now();
  const ms = () => performance.now() - startedAt;
  if (order.what === 'exit') process.exit(0);
  if (order.what === 'quit') {
    leaving = true;
    process.disconnect();
    return;
  }
  const carriedOut = Promise.resolve().then(() => ORDERS[order.what]?.(order));
  carriedOut.then(
    (result) => tell({ id: order.id, ok: true, ms: ms(), ...result }),
    (error) => tell({ id: order.id, ok: false, ms: ms(), error: described(error) }),
  );
}

/** @param {object} message */
function tell(message) {
  if (process.connected) process.send?.(message);
}

/** @param {number} [ms] @returns {AbortSignal} */
function signalAfter(ms) {
  const controller = new AbortController();
  if (ms === 0) controller.abort();
  else if (ms !== undefined) setTimeout(() => controller.abort(), ms).unref();
  return controller.signal;
}

/** What keeps this process alive beside what it started with: sockets, timers. */
function left() {
  const known = [...openAtStart];
  return process.getActiveResourcesInfo().filter((resource) => {
    const index = known.indexOf(resource);
    if (index !== -1) known.splice(index, 1);
    return index === -1;
  });
}

/** The most memory that this process ever had; `maxRSS` counts that of its parent too. */
function peakRssBytes() {
  try {
    const [, kibibytes] = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (kibibytes !== undefined) return Number(kibibytes) * 1024;
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}

/** @param {unknown} error */
function described(error) {
  if (!(error instanceof Error)) return { name: typeof error, message: String(error) };
  const { code, certainty } = /** @type {Error & { code?: unknown, certainty?: string }} */ (error);
  const cause = error.cause instanceof Error ? error.cause.name : undefined;
  return { name: error.name, code, certainty, cause, message: error.message.slice(0, 300) };
}
