import type { Trace, TracedServer } from '../trace/trace.js';

/** A trace that a session switches on and off. */
export class SessionTrace implements Trace {
  readonly #trace: Trace;
  isOn: boolean;

  constructor(trace: Trace, { isOn }: { isOn: boolean }) {
    this.#trace = trace;
    this.isOn = isOn;
  }

  get isShown(): boolean {
    return this.isOn && this.#trace.isShown;
  }

  /** Whether it is written to a file, whole. */
  get isWritten(): boolean {
    return !this.#trace.isShown;
  }

  server(name: string): TracedServer {
    const traced = this.#trace.server(name);
    return {
      middleware: traced.middleware,
      observe: (event) => {
        if (this.isOn) traced.observe(event);
      },
      watch: (client) => traced.watch(client),
    };
  }

  close(): Promise<void> {
    return this.#trace.close();
  }
}
