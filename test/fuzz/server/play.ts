import type { Socket } from 'node:net';
import type { Step } from '../grammar/mutation.ts';

/** Does on a socket what a server does, one step after the other, as long as the socket lives. */
export class Player {
  readonly #socket: Socket;
  readonly #steps: Step[] = [];
  #waiting: NodeJS.Timeout | undefined;
  #isBusy = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    // Whoever is fuzzed may disconnect at any time.
    socket.on('error', () => {});
    socket.once('close', () => {
      clearTimeout(this.#waiting);
      this.#steps.length = 0;
    });
  }

  /** Does this after all that was to be done before. */
  play(steps: readonly Step[]): void {
    this.#steps.push(...steps);
    if (!this.#isBusy) this.#next();
  }

  #next(): void {
    this.#isBusy = false;
    for (let step = this.#steps.shift(); step !== undefined; step = this.#steps.shift()) {
      if (this.#socket.destroyed) return;
      switch (step.do) {
        case 'write':
          this.#socket.write(step.bytes);
          break;
        case 'wait':
          this.#isBusy = true;
          this.#waiting = setTimeout(() => this.#next(), step.ms);
          return;
        case 'end':
          this.#socket.end();
          return;
        case 'reset':
          this.#socket.resetAndDestroy();
          return;
        case 'hang':
          // Nothing that comes later is said.
          this.#isBusy = true;
          return;
      }
    }
  }
}
