import type { LongwireClient } from '@longwire/client';
import { createStateWords } from '../connection-words.js';
import type { Context } from '../context.js';
import { sanitizeLine } from '../sanitize.js';

/** Shows one line of a remark. */
type Show = (line: string) => void;

/**
 * Tells the person in a conversation when the connection to a server is lost and when it is ready
 * again: one line each, however many attempts lie between. With `--verbose` every change is shown
 * anyway.
 */
export class ConnectionNotes {
  readonly #context: Context;
  #places: Show[] = [];

  constructor(context: Context, clients: readonly LongwireClient[]) {
    this.#context = context;
    if (context.terminal.verbose) return;
    for (const client of clients) this.#follow(client);
  }

  /** Has the notes shown in another place; the function returned hands that back. */
  divert(show: Show): () => void {
    this.#places.push(show);
    return () => {
      this.#places = this.#places.filter((other) => other !== show);
    };
  }

  #follow(client: LongwireClient): void {
    const words = createStateWords(client);
    let isLost = false;
    client.on('state', (state) => {
      const line = `${sanitizeLine(client.name)}: ${words(state)}`;
      if (state.name === 'ready') {
        if (isLost) this.#show(line);
        isLost = false;
      } else if (state.name === 'resting') {
        this.#show(`${line}; the next call connects again`);
        isLost = true;
      } else if (state.name === 'reconnecting') {
        if (!isLost) this.#show(line);
        isLost = true;
      }
    });
  }

  #show(line: string): void {
    const { terminal } = this.#context;
    const show = this.#places.at(-1) ?? ((text: string) => terminal.remark(text));
    show(terminal.remarkColors.dim(line));
  }
}
