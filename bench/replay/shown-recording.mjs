import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createParser } from 'eventsource-parser';

const COMMAND = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url));

/** `longwire dash --replay`, in a process of its own, and who reads what it sends to the page. */
export class ShownRecording {
  #child;
  #startedAt = performance.now();
  #origin = '';
  #headers = {};
  #reading = new AbortController();
  /** @type {Map<string, (data: string) => void>} */
  #waiting = new Map();

  /** @param {string} path */
  constructor(path) {
    const args = [COMMAND, 'dash', '--replay', path, '--no-open', '--json', '--quiet'];
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  /** Fulfilled with the milliseconds from its start to the first picture, and how large that is. */
  async firstPicture() {
    const [line] = await once(createInterface({ input: this.#child.stdout }), 'line');
    const { origin, searchParams } = new URL(JSON.parse(line).url);
    this.#origin = origin;
    this.#headers = { authorization: `Bearer ${searchParams.get('token')}` };
    const arrived = this.#next('snapshot');
    void this.#read().catch(() => undefined);
    const { length } = await arrived;
    return { ms: performance.now() - this.#startedAt, bytes: length };
  }

  /** Fulfilled with the milliseconds from its start until the file was read through. */
  async readThrough() {
    for (;;) {
      const data = await this.#next('replay');
      if (JSON.parse(data).read === undefined) return performance.now() - this.#startedAt;
    }
  }

  /** Goes to a time; the milliseconds until its picture is there. @param {number} at */
  async seek(at) {
    const startedAt = performance.now();
    const arrived = this.#next('snapshot');
    const response = await fetch(`${this.#origin}/api/replay`, {
      method: 'POST',
      headers: { ...this.#headers, 'content-type': 'application/json', 'x-longwire-page': '1' },
      body: JSON.stringify({ at, playing: false }),
    });
    if (!response.ok) throw new Error(`the time ${at} was answered with ${response.status}`);
    const { length: bytes } = await arrived;
    return { ms: performance.now() - startedAt, bytes };
  }

  /** The most memory that it has had, in MiB; NaN where the system does not say it. */
  async peakMib() {
    const status = await readFile(`/proc/${this.#child.pid}/status`, 'utf8').catch(() => '');
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024;
  }

  async close() {
    this.#reading.abort();
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGINT');
    await ended;
  }

  /** @param {string} event @returns {Promise<string>} */
  #next(event) {
    return new Promise((resolve) => this.#waiting.set(event, resolve));
  }

  async #read() {
    const { signal } = this.#reading;
    const { body } = await fetch(`${this.#origin}/api/stream`, { headers: this.#headers, signal });
    const parser = createParser({
      onEvent: ({ event = '', data }) => this.#waiting.get(event)?.(data),
    });
    const decoder = new TextDecoder();
    for await (const chunk of body ?? []) parser.feed(decoder.decode(chunk, { stream: true }));
  }
}
