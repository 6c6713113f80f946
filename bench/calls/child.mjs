import { fork } from 'node:child_process';

/**
 * A process of a benchmark, spoken to one question at a time. It cannot outlive its parent:
 * every such process ends when the channel between them closes.
 */
export class Child {
  #process;
  #errors = '';

  /**
   * @param {URL} module
   * @param {readonly string[]} args
   * @param {{ execArgv?: string[], env?: NodeJS.ProcessEnv, cwd?: string }} options
   */
  constructor(module, args = [], options = {}) {
    this.#process = fork(module, args, { ...options, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#process.stderr?.setEncoding('utf8').on('data', (text) => {
      this.#errors = (this.#errors + text).slice(-2000);
    });
  }

  /**
   * @param {unknown} question sent, unless it is undefined
   * @param {number} timeoutMs
   * @returns {Promise<any>} the next thing that the process says
   */
  ask(question, timeoutMs) {
    return new Promise((resolve, reject) => {
      /** @param {() => void} settle */
      const done = (settle) => {
        clearTimeout(timer);
        this.#process.off('message', onMessage);
        this.#process.off('exit', onExit);
        settle();
      };
      /** @param {any} message */
      const onMessage = (message) =>
        done(() => (message.error ? reject(new Error(message.error)) : resolve(message)));
      /** @param {number | null} code @param {NodeJS.Signals | null} signal */
      const onExit = (code, signal) => {
        const how = `ended with ${signal ?? `exit code ${code}`}`;
        const said = this.#errors.trim();
        done(() => reject(new Error(said === '' ? how : `${how}: ${said}`)));
      };
      const timer = setTimeout(
        () => done(() => reject(new Error(`no answer within ${timeoutMs / 1000} s`))),
        timeoutMs,
      );
      this.#process.once('message', onMessage);
      this.#process.once('exit', onExit);
      if (this.#process.exitCode !== null || this.#process.signalCode !== null) {
        onExit(this.#process.exitCode, this.#process.signalCode);
      } else if (question !== undefined) {
        this.#process.send(/** @type {any} */ (question));
      }
    });
  }

  /** Ends the process, by force. */
  kill() {
    this.#process.kill('SIGKILL');
  }

  /** @param {number} timeoutMs how long it may take to end by itself, before it is forced */
  async close(timeoutMs = 2000) {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = new Promise((resolve) => this.#process.once('exit', resolve));
    const timer = setTimeout(() => this.kill(), timeoutMs);
    if (this.#process.connected) this.#process.disconnect();
    await exited;
    clearTimeout(timer);
  }
}
