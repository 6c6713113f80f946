import type { LongwireClient } from '@longwire/client';
import { createStateWords } from '../connection-words.js';
import type { Context } from '../context.js';
import { summaryOf } from '../report-error.js';
import { sanitizeLine } from '../sanitize.js';

/** Shows one line of a remark. */
type Show = (line: string) => void;

/**
 * Tells the user of a conversation when the connection to a server is lost and when it is ready again:
 * one line each, regardless of the number of attempts. With `--verbose` every change is shown.
 */
export class ConnectionNotes {
  readonly #context: Context;
  /** The names of servers that were reported as missing. */
  readonly #missing = new Set<string>();
  #places: Show[] = [];

  constructor(context: Context, clients: readonly LongwireClient[]) {
    this.#context = context;
    if (context.terminal.verbose) return;
    for (const client of clients) this.#follow(client);
  }

  /** Shows the notes elsewhere; the returned function restores the previous place. */
  divert(show: Show): () => void {
    this.#places.push(show);
    return () => {
      this.#places = this.#places.filter((other) => other !== show);
    };
  }

  /** Reports a server that lists no tools; once, until it is present again. */
  missing(name: string, reason: unknown): void {
    if (this.#missing.has(name)) return;
    this.#missing.add(name);
    const { terminal, redactor } = this.#context;
    const line = redactor.message(sanitizeLine(`${name} lists no tools: ${summaryOf(reason)}`));
    this.#show(terminal.remarkColors.red(line));
  }

  /** A server was reported as missing before. */
  knownMissing(name: string): void {
    this.#missing.add(name);
  }

  /** A server has listed its tools. */
  present(name: string): void {
    this.#missing.delete(name);
  }

  #follow(client: LongwireClient): void {
    const words = createStateWords(client);
    const { dim } = this.#context.terminal.remarkColors;
    let told: 'nothing' | 'lost' | 'resting' =
      client.state.name === 'resting' ? 'resting' : 'nothing';
    client.on('state', (state) => {
      const line = `${sanitizeLine(client.name)}: ${words(state)}`;
      if (state.name === 'ready') {
        if (told !== 'nothing') this.#show(dim(line));
        told = 'nothing';
        this.present(client.name);
      } else if (state.name === 'resting') {
        // Each call dials again; if that fails, the call's own error says so.
        if (told !== 'resting') this.#show(dim(`${line}; the next call connects again`));
        told = 'resting';
      } else if (state.name === 'reconnecting') {
        if (told === 'nothing') this.#show(dim(line));
        if (told === 'nothing') told = 'lost';
      }
    });
  }

  #show(line: string): void {
    const { terminal } = this.#context;
    const show = this.#places.at(-1) ?? ((text: string) => terminal.remark(text));
    show(line);
  }
}
