import type { ListName } from './restorable-state.js';
import { METHOD_NOT_FOUND, type JSONRPCNotification } from '@modelcontextprotocol/client';
import type { Channel } from '../channels/channel.js';
import { HttpStatusError, LongwireError, ServerError } from '../errors.js';
import type { ServerFacts } from './initialize.js';
import type { Port } from './port.js';
import type { RequestContext } from './request-context.js';
import { TaskWatch } from './task-watch.js';
import { dialDelayMs, isObjection, type RetryPolicy } from './retry.js';

/** What a server stream is made with. */
export interface ServerStreamOptions {
  retry: RetryPolicy;
  port: Port;
  /** The resources that the program has subscribed to. */
  subscribed: () => string[];
  /** Called when the stream is open again, and notifications may have been missed. */
  onGap: () => void;
  /** Called when the server refuses the stream. */
  onRefused: () => void;
}

/** The notifications that `subscriptions/listen` asks for, as far as the server has them. */
interface Filter {
  toolsListChanged?: true;
  promptsListChanged?: true;
  resourcesListChanged?: true;
  resourceSubscriptions?: string[];
  taskIds?: string[];
}

/** One `subscriptions/listen`, from its request to its end. */
interface Subscription {
  readonly context: RequestContext;
  readonly acknowledged: Promise<void>;
}

/**
 * Keeps the stream open on which the server sends what no request asked for: in the legacy era a
 * GET, if the transport has one; in the modern era `subscriptions/listen`, for the notifications
 * that the program wants.
 *
 * What the server sends while the stream is not open is lost: `onGap` says so.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/utilities/subscriptions
 */
export class ServerStream {
  readonly #options: ServerStreamOptions;
  #channel: Channel | undefined;
  #server: ServerFacts | undefined;
  #subscription: Subscription | undefined;
  #timer: NodeJS.Timeout | undefined;
  #attempt = 0;
  #wasOpen = false;
  /** The lists of which the program wants to know the changes. */
  readonly #watched = new Set<ListName>();
  #isReported = false;
  /** The tasks of which the program wants to know what happens. */
  readonly tasks: TaskWatch = new TaskWatch(() => {
    this.#reopen()?.catch(() => {});
  });
  /** Subscriptions asked for on this channel, also those that the server has not accepted yet. */
  readonly #asked = new Map<string, boolean>();

  constructor(options: ServerStreamOptions) {
    this.#options = options;
  }

  /** Opens the stream on this channel. */
  start(channel: Channel, server: ServerFacts | undefined): void {
    this.stop();
    this.#channel = channel;
    this.#server = server;
    this.#attempt = 0;
    this.#asked.clear();
    this.tasks.begin();
    this.#open(channel);
  }

  /** The channel is gone. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#channel = undefined;
    this.#subscription = undefined;
    this.tasks.end();
  }

  /** From now on the program wants to know when one of these lists changes. */
  watchLists(lists: readonly ListName[]): void {
    if (lists.every((list) => this.#watched.has(list))) return;
    for (const list of lists) this.#watched.add(list);
    this.#reopen()?.catch((error: Error) => this.#options.port.report(error));
  }

  /**
   * Subscribes to a resource, or unsubscribes; fulfilled when the server has accepted it.
   *
   * @throws LongwireError
   */
  async subscribe(uri: string, wants: boolean): Promise<void> {
    this.#asked.set(uri, wants);
    try {
      await this.#reopen();
    } catch (error) {
      this.#asked.delete(uri);
      throw error;
    }
  }

  /** Other notifications are wanted: opens the new stream before it closes the old one. */
  #reopen(): Promise<void> | undefined {
    const channel = this.#channel;
    if (channel?.era !== 'modern') return undefined;
    const before = this.#subscription;
    clearTimeout(this.#timer);
    const filter = this.#filter();
    if (filter === undefined && before === undefined) return undefined;
    this.#subscription =
      filter && this.#openSubscription(channel, filter, { continues: before !== undefined });
    const opened = this.#subscription?.acknowledged ?? Promise.resolve();
    if (before !== undefined) {
      const end = (): void => this.#options.port.cancel(before.context);
      void opened.then(() => {
        // The new one has all that the old one was opened for.
        before.context.onAcknowledged?.();
        end();
      }, end);
    }
    return opened;
  }

  #open(channel: Channel): void {
    if (channel.era === 'modern') {
      const filter = this.#filter();
      if (filter === undefined) return;
      this.#subscription = this.#openSubscription(channel, filter, { continues: false });
      return;
    }
    const openedAt = performance.now();
    channel
      .listen?.((isContinued) => this.#opened(isContinued))
      .catch((error: LongwireError) => {
        if (this.#channel !== channel) return;
        this.#reportOnce(error);
        if (isObjection(error)) this.#options.onRefused();
        this.#openLater(channel, openedAt);
      });
  }

  #openSubscription(
    channel: Channel,
    filter: Filter,
    { continues }: { continues: boolean },
  ): Subscription {
    const openedAt = performance.now();
    let acknowledge = (): void => {};
    let refuse: (error: unknown) => void = () => {};
    const acknowledged = new Promise<void>((resolve, reject) => {
      acknowledge = resolve;
      refuse = reject;
    });
    acknowledged.catch(() => {});
    const context: RequestContext = {
      certainty: 'not-sent',
      internal: true,
      takesTasks: filter.taskIds !== undefined,
      onAcknowledged: (params) => {
        acknowledge();
        if (this.#subscription !== subscription) return;
        this.#opened(continues);
        if (filter.taskIds === undefined) this.tasks.unheard();
        // It may have been opened for nothing else.
        else if (!this.tasks.acknowledged(params?.['notifications'])) void this.#reopen();
      },
    };
    const subscription: Subscription = { context, acknowledged };
    const ended = (error: unknown): void => {
      refuse(error);
      if (this.#subscription !== subscription || this.#channel !== channel) return;
      this.#subscription = undefined;
      this.tasks.unheard();
      if (filter.taskIds !== undefined && isAnswered(error)) {
        // What else is wanted is asked for without them.
        this.tasks.refused();
        this.#open(channel);
        return;
      }
      this.#reportOnce(error);
      const isUnknown = error instanceof ServerError && error.number === METHOD_NOT_FOUND;
      if (!isUnknown) this.#openLater(channel, openedAt);
    };
    const request = { method: 'subscriptions/listen', params: { notifications: { ...filter } } };
    this.#options.port.ask(request, context).then(() => ended(endedError()), ended);
    return subscription;
  }

  /** The stream is open. `isContinued` says that no notification was missed. */
  #opened(isContinued: boolean): void {
    const isGap = this.#wasOpen && !isContinued;
    this.#wasOpen = true;
    this.#isReported = false;
    if (isGap) this.#options.onGap();
  }

  /** Otherwise the program would not know that the server refuses the stream. */
  #reportOnce(error: unknown): void {
    if (!(error instanceof HttpStatusError) || this.#isReported) return;
    this.#isReported = true;
    this.#options.port.report(error);
  }

  /** The delay grows only while a stream ends sooner than the delay before it. */
  #openLater(channel: Channel, openedAt: number): void {
    const { retry } = this.#options;
    const openMs = performance.now() - openedAt;
    const lastDelayMs =
      this.#attempt === 0 ? 0 : dialDelayMs({ ...retry, random: () => 1 }, this.#attempt);
    this.#attempt = openMs > lastDelayMs ? 1 : this.#attempt + 1;
    const delayMs = dialDelayMs(retry, this.#attempt, channel.askedDelayMs);
    // No `unref`: in a program that only listens, this timer may be all that keeps it alive.
    this.#timer = setTimeout(() => this.#open(channel), delayMs);
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
    const taskIds = this.tasks.wanted;
    const { capabilities = {} } = this.#server ?? {};
    const watches = (list: ListName): boolean =>
      this.#watched.has(list) && capabilities[list]?.listChanged === true;
    const filter: Filter = {
      ...(watches('tools') && { toolsListChanged: true }),
      ...(watches('prompts') && { promptsListChanged: true }),
      ...(watches('resources') && { resourcesListChanged: true }),
      ...(uris.length > 0 && { resourceSubscriptions: uris }),
      ...(taskIds.length > 0 && { taskIds }),
    };
    return Object.keys(filter).length === 0 ? undefined : filter;
  }
}

/** The notifications that may have been missed, as the server would have sent them. */
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

/** Whether the server has refused a request, and would refuse it again. */
function isAnswered(error: unknown): boolean {
  return error instanceof ServerError || isObjection(error);
}

function endedError(): LongwireError {
  return new LongwireError('the server ended the subscription before it accepted it', {
    code: 'protocol',
    certainty: 'answered',
  });
}
