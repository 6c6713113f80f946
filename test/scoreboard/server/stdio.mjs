import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {'crash' | 'stderr' | 'noise' | 'stubborn' | 'grandchild' | 'deaf to calls' | 'deaf'} Wrong
 *
 * @typedef {object} Entry what a server has done
 * @property {'start' | 'grandchild' | 'sigterm' | 'message' | 'run'} event
 * @property {number} [pid]
 * @property {string} [key]
 * @property {string} [method]
 */

const SCRIPT = fileURLToPath(new URL('./stdio-process.mjs', import.meta.url));

/** A server over stdio, seen from outside: the client starts it, as often as it likes. */
export class StdioServer {
  transport = /** @type {const} */ ('stdio');
  #wrong;
  #folder = '';

  /** @param {Wrong} wrong */
  constructor(wrong) {
    this.#wrong = wrong;
  }

  async start() {
    this.#folder = mkdtempSync(join(tmpdir(), 'scoreboard-stdio-'));
  }

  /** What the client starts. */
  get target() {
    return { command: process.execPath, args: [SCRIPT, this.#file, this.#wrong] };
  }

  /** How often it was started. */
  get starts() {
    return this.#entries('start').length;
  }

  /** Those of its processes that are still there. */
  get alive() {
    return this.#pids.filter(isAlive);
  }

  /** What is there and should not outlive the client, in words. @returns {string[]} */
  get left() {
    const count = this.alive.length;
    return count === 0 ? [] : [`${count} processes of the server`];
  }

  /** What there was, in words. */
  get counts() {
    return `started ${this.starts} ×`;
  }

  /** How often the work with this key was begun. @param {string} key */
  executions(key) {
    return this.#entries('run').filter((entry) => entry.key === key).length;
  }

  /** How many messages of this method came. @param {string} method */
  received(method) {
    return this.#entries('message').filter((entry) => entry.method === method).length;
  }

  /** Kills the server, as a crash would. */
  crash() {
    for (const pid of this.alive) process.kill(pid, 'SIGKILL');
  }

  async close() {
    this.crash();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #file() {
    return join(this.#folder, 'record.jsonl');
  }

  get #pids() {
    const processes = [...this.#entries('start'), ...this.#entries('grandchild')];
    return processes.map(({ pid = 0 }) => pid).filter((pid) => pid > 0);
  }

  /** @param {Entry['event']} event */
  #entries(event) {
    return readRecord(this.#file).filter((entry) => entry.event === event);
  }
}

/** @param {string} file @returns {Entry[]} */
export function readRecord(file) {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

/** Whether a process is there; one that has ended and waits to be noticed is not. @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    // Not Linux, or it has just ended.
    return process.platform !== 'linux';
  }
}
