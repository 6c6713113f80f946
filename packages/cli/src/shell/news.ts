import type { LongwireClient, LoggingLevel } from '@longwire/client';
import { LOG_LEVELS, nameList } from '@longwire/client/internal';
import { usageError } from '../command-error.js';
import type { Context } from '../context.js';
import { describeNotification } from '../notifications.js';
import { sanitizeLine } from '../sanitize.js';
import { callLimits } from '../session.js';

/** What servers say by themselves: shown above the line that is being typed, until that is switched off. */
export class News {
  readonly #context: Context;
  readonly #clients: readonly LongwireClient[];
  readonly #subscribed = new Map<string, LongwireClient>();
  #isOn = true;
  #level: LoggingLevel | undefined;

  constructor(context: Context, clients: readonly LongwireClient[]) {
    this.#context = context;
    this.#clients = clients;
    for (const client of clients) {
      client.on('notification', (notification) => {
        if (!this.#isOn) return;
        const whose = clients.length > 1 ? `${client.name}: ` : '';
        const { terminal } = context;
        const line = sanitizeLine(`${whose}${describeNotification(notification)}`);
        terminal.remark(terminal.remarkColors.dim(line));
      });
    }
  }

  /** The resources of which changes are told. */
  get subscribed(): string[] {
    return [...this.#subscribed.keys()];
  }

  /**
   * `watch`: without a word, says what is shown.
   *
   * @throws LongwireError (usage) for a word that is none of them; what `subscribeResource` throws.
   */
  async watch(
    words: readonly string[],
    client: LongwireClient,
    signal: AbortSignal,
  ): Promise<void> {
    const [word, ...more] = words;
    if (more.length > 0)
      throw usageError('write one of: watch on, watch off, watch LEVEL, watch URI');
    if (word === 'on' || word === 'off') this.#isOn = word === 'on';
    else if (isLevel(word)) await this.#setLevel(word, signal);
    else if (word?.includes(':') === true) {
      await client.subscribeResource(word, { ...callLimits(this.#context), signal });
      this.#subscribed.set(word, client);
      this.#isOn = true;
    } else if (word !== undefined) {
      throw usageError(
        `"${word}" is neither on or off, nor a URI, nor one of the levels ${nameList(LOG_LEVELS)}`,
      );
    }
    this.#context.terminal.remark(this.#state());
  }

  /** `unwatch URI` */
  async unwatch(words: readonly string[], signal: AbortSignal): Promise<void> {
    const [uri, ...more] = words;
    const client = uri === undefined ? undefined : this.#subscribed.get(uri);
    if (uri === undefined || client === undefined || more.length > 0) {
      const { subscribed } = this;
      const there = subscribed.length === 0 ? 'none is watched' : subscribed.join(', ');
      throw usageError(`write the URI of a resource that is watched: ${there}`);
    }
    await client.unsubscribeResource(uri, { ...callLimits(this.#context), signal });
    this.#subscribed.delete(uri);
  }

  async #setLevel(level: LoggingLevel, signal: AbortSignal): Promise<void> {
    const able = this.#clients.filter(({ capabilities }) => capabilities?.logging !== undefined);
    if (able.length === 0)
      throw usageError('the server has no levels of logs: it offers no logging');
    for (const client of able) {
      await client.setLogLevel(level, { ...callLimits(this.#context), signal });
    }
    this.#level = level;
    this.#isOn = true;
  }

  #state(): string {
    if (!this.#isOn) return 'What the servers say by themselves is not shown.';
    const logs = this.#level === undefined ? '' : `, logs from ${this.#level} up`;
    const { subscribed } = this;
    const resources = subscribed.length === 0 ? '' : `, changes of ${subscribed.join(', ')}`;
    return sanitizeLine(`What the servers say by themselves is shown${logs}${resources}.`);
  }
}

function isLevel(word: string | undefined): word is LoggingLevel {
  return word !== undefined && (LOG_LEVELS as readonly string[]).includes(word);
}
