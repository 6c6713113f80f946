import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type { WorkerOptions } from 'node:worker_threads';

/** What a thread has, be it in this process or in one of its own. */
export interface Thread extends EventEmitter {
  postMessage(message: unknown): void;
  ref(): void;
  unref(): void;
  terminate(): unknown;
}

/**
 * The process only passes messages on, so that it sees its parent go while the thread is busy. The
 * terminal's Ctrl-C is for the parent to answer.
 */
const MAIN = `'use strict';
const { Worker } = require('node:worker_threads');
process.on('SIGINT', () => {}).on('disconnect', () => process.exit());
process.once('message', ({ code, options }) => {
  const thread = new Worker(code, { ...options, eval: true });
  thread.on('message', (message) => process.send({ message }));
  thread.on('error', ({ code, message }) => process.send({ failure: { code, message } }));
  thread.on('exit', () => process.disconnect());
  process.on('message', (message) => thread.postMessage(message));
});
`;

/** How V8 ends a process in which a thread asked for more than there is. */
const OUT_OF_MEMORY: readonly unknown[] = ['SIGABRT', 'SIGTRAP', 'SIGILL', 'SIGSEGV', 134];

type Said = { message: unknown } | { failure: { code?: string; message: string } };

/**
 * A thread in a process of its own. A limit of a thread's memory does not hold where it asks for a lot at
 * once: V8 then ends the process, which must not be the user's.
 */
export class ProcessThread extends EventEmitter implements Thread {
  readonly #process: ChildProcess;

  constructor(code: string, options: WorkerOptions) {
    super();
    this.#process = spawn(process.execPath, ['-e', MAIN], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
      // Nothing of the user's process is its business; Electron must know that it is to be Node.
      env: { ELECTRON_RUN_AS_NODE: '1' },
      windowsHide: true,
    });
    this.#process
      .on('message', (said) => this.#take(said as Said))
      .on('error', (error) => this.emit('error', error))
      .on('exit', (status, signal) => this.#exit(signal ?? status));
    this.#send({ code, options });
  }

  /** @throws Error where the message cannot be cloned. */
  postMessage(message: unknown): void {
    this.#send(message);
  }

  ref(): void {
    this.#process.ref();
    this.#process.channel?.ref();
  }

  unref(): void {
    this.#process.unref();
    this.#process.channel?.unref();
  }

  terminate(): void {
    this.#process.kill('SIGKILL');
  }

  /** Whether it arrives is not waited for: a process that is gone says so. */
  #send(message: unknown): void {
    this.#process.send(message as object, () => {});
  }

  #take(said: Said): void {
    if ('message' in said) this.emit('message', said.message);
    else this.emit('error', Object.assign(new Error(said.failure.message), said.failure));
  }

  #exit(how: number | string | null): void {
    if (OUT_OF_MEMORY.includes(how)) {
      const error = new Error('its process ran out of memory');
      this.emit('error', Object.assign(error, { code: 'ERR_WORKER_OUT_OF_MEMORY' }));
    }
    this.emit('exit', how);
  }
}
