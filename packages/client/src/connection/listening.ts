import {
  METHOD_NOT_FOUND,
  type JSONRPCNotification,
  type Result,
} from '@modelcontextprotocol/client';
import type { Channel } from '../channels/channel.js';
import { HttpStatusError, LongwireError, ServerError } from '../errors.js';
import type { CallMark } from './call-mark.js';
import type { ServerFacts } from './handshake.js';
import type { LedgerRequest } from './ledger.js';
import { dialDelayMs, isObjection, type RetryPolicy } from './retry.js';

/** What listening is made with. */
export interface ListeningOptions {
  retry: RetryPolicy;
  /** The resources whose changes the program wants to know of. */
  subscribed: () => string[];
  /** Makes a request of the connection's own. */
  ask: (request: LedgerRequest, mark: CallMark) => Promise<Result>;
  /** Gives up a request of the connection's own, and tells the server. */
  giveUp: (mark: CallMark) => void;
  /** Told when the server can be heard again, and may have spoken meanwhile. */
  onGap: () => void;
  /** Told that the server refuses the stream that it opened before. */
  onRefused: () => void;
  report: (error: Error) => void;
}

/** What a server's capabilities let it be asked for, by the name of the filter. */
interface Filter {
  toolsListChanged?: true;
  promptsListChanged?: true;
  resourcesListChanged?: true;
  resourceSubscriptions?: string[];
}

/** One stream on which the server speaks unasked, from its opening to its end. */
interface Hearing {
  readonly mark: CallMark;
  readonly acknowledged: Promise<void>;
}

/**
 * Keeps the stream open on which a server says what nobody asked: in the legacy era, where a
 * dialect has one; in the modern era `subscriptions/listen`, for what the program listens to.
 *
 * What a server said while nobody could hear it is lost. So whoever is told of a gap asks again.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/utilities/subscriptions
 */
export class Listening {
  readonly #options: ListeningOptions;
  #channel: Channel | undefined;
  #server: ServerFacts | undefined;
  #hearing: Hearing | undefined;
  #timer: NodeJS.Timeout | undefined;
  #attempt = 0;
  #wasHeard = false;
  #wantsLists = false;
  #isReported = false;
  /** What was asked for on this channel; not all of it is granted yet. */
  readonly #asked = new Map<string, boolean>();

  constructor(options: ListeningOptions) {
    this.#options = options;
  }

  /** Listens on this channel from now on. */
  start(channel: Channel, server: ServerFacts | undefined): void {
    this.stop();
    this.#channel = channel;
    this.#server = server;
    this.#attempt = 0;
    this.#asked.clear();
    this.#listen(channel);
  }

  /** The channel is gone. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#channel = undefined;
    this.#hearing = undefined;
  }

  /** From now on the program wants to know when a list changes. */
  wantLists(): void {
    if (this.#wantsLists) return;
    this.#wantsLists = true;
    this.#listenAnew()?.catch(this.#options.report);
  }

  /**
   * Wants to know of a resource's changes, or no more; fulfilled when the server has taken that.
   *
   * @throws LongwireError
   */
  async subscribe(uri: string, wants: boolean): Promise<void> {
    this.#asked.set(uri, wants);
    try {
      await this.#listenAnew();
    } catch (error) {
      this.#asked.delete(uri);
      throw error;
    }
  }

  /** What is listened to has changed: the new stream is open before the old one is closed. */
  #listenAnew(): Promise<void> | undefined {
    const channel = this.#channel;
    if (channel?.era !== 'modern') return undefined;
    const before = this.#hearing;
    clearTimeout(this.#timer);
    const filter = this.#filter();
    this.#hearing = filter && this.#hear(channel, filter, { continues: before !== undefined });
    const opened = this.#hearing?.acknowledged ?? Promise.resolve();
    if (before !== undefined) {
      const end = (): void => this.#options.giveUp(before.mark);
      void opened.then(() => {
        // Whoever waits for the old one has it all from the new one.
        before.mark.onAcknowledged?.();
        end();
      }, end);
    }
    return opened;
  }

  #listen(channel: Channel): void {
    if (channel.era === 'modern') {
      const filter = this.#filter();
      if (filter === undefined) return;
      this.#hearing = this.#hear(channel, filter, { continues: false });
      return;
    }
    const openedAt = performance.now();
    channel
      .listen?.((isContinued) => this.#heard(isContinued))
      .catch((error: LongwireError) => {
        if (this.#channel !== channel) return;
        this.#reportOnce(error);
        if (isObjection(error)) this.#options.onRefused();
        this.#listenLater(channel, openedAt);
      });
  }

  #hear(channel: Channel, filter: Filter, { continues }: { continues: boolean }): Hearing {
    const openedAt = performance.now();
    let acknowledge = (): void => {};
    let refuse: (error: unknown) => void = () => {};
    const acknowledged = new Promise<void>((resolve, reject) => {
      acknowledge = resolve;
      refuse = reject;
    });
    acknowledged.catch(() => {});
    const mark: CallMark = {
      certainty: 'not-sent',
      internal: true,
      onAcknowledged: () => {
        acknowledge();
        if (this.#hearing === hearing) this.#heard(continues);
      },
    };
    const hearing: Hearing = { mark, acknowledged };
    const ended = (error: unknown): void => {
      refuse(error);
      if (this.#hearing !== hearing || this.#channel !== channel) return;
      this.#hearing = undefined;
      this.#reportOnce(error);
      const isUnknown = error instanceof ServerError && error.number === METHOD_NOT_FOUND;
      if (!isUnknown) this.#listenLater(channel, openedAt);
    };
    const request = { method: 'subscriptions/listen', params: { notifications: { ...filter } } };
    this.#options.ask(request, mark).then(() => ended(endedError()), ended);
    return hearing;
  }

  /** The server can be heard. */
  #heard(isContinued: boolean): void {
    const isGap = this.#wasHeard && !isContinued;
    this.#wasHeard = true;
    this.#isReported = false;
    if (isGap) this.#options.onGap();
  }

  /** That a server refuses what it gave before, the program would not find out otherwise. */
  #reportOnce(error: unknown): void {
    if (!(error instanceof HttpStatusError) || this.#isReported) return;
    this.#isReported = true;
    this.#options.report(error);
  }

  /** A stream that stood for longer than the wait before it has done what it was for. */
  #listenLater(channel: Channel, openedAt: number): void {
    const { retry } = this.#options;
    const stoodMs = performance.now() - openedAt;
    const waitedMs =
      this.#attempt === 0 ? 0 : dialDelayMs({ ...retry, random: () => 1 }, this.#attempt);
    this.#attempt = stoodMs > waitedMs ? 1 : this.#attempt + 1;
    const delayMs = dialDelayMs(retry, this.#attempt, channel.askedDelayMs);
    // It may be all that keeps a program alive that only listens.
    this.#timer = setTimeout(() => this.#listen(channel), delayMs);
  }

  #wanted(): string[] {
    const wanted = new Set(this.#options.subscribed());
    for (const [uri, wants] of this.#asked) {
      if (wants) wanted.add(uri);
      else wanted.delete(uri);
    }
    return [...wanted];
  }

  #filter(): Filter | undefined {
    const uris = this.#wanted();
    const { tools, prompts, resources } = this.#server?.capabilities ?? {};
    const filter: Filter = {
      ...(this.#wantsLists && tools?.listChanged === true && { toolsListChanged: true }),
      ...(this.#wantsLists && prompts?.listChanged === true && { promptsListChanged: true }),
      ...(this.#wantsLists && resources?.listChanged === true && { resourcesListChanged: true }),
      ...(uris.length > 0 && { resourceSubscriptions: uris }),
    };
    return Object.keys(filter).length === 0 ? undefined : filter;
  }
}

/** What may have changed while a server could not be heard, as it would have said it. */
export function changesIn(
  { capabilities }: Pick<ServerFacts, 'capabilities'>,
  subscriptions: Iterable<string>,
): JSONRPCNotification[] {
  const { prompts, resources } = capabilities;
  const changed = (what: string): JSONRPCNotification => ({
    jsonrpc: '2.0',
    method: `notifications/${what}/list_changed`,
  });
  return [
    ...(prompts?.listChanged === true ? [changed('prompts')] : []),
    ...(resources?.listChanged === true ? [changed('resources')] : []),
    ...[...subscriptions].map((uri) => ({
      jsonrpc: '2.0' as const,
      method: 'notifications/resources/updated',
      params: { uri },
    })),
  ];
}

function endedError(): LongwireError {
  return new LongwireError('the server ended the subscription before it took it', {
    code: 'protocol',
    certainty: 'answered',
  });
}
