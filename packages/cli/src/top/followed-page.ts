import { setTimeout as sleep } from 'node:timers/promises';
import { LongwireError } from '@longwire/client';
import { EventDecoder, parseJson, type StreamEvent } from '@longwire/client/internal';
import { Picture, type CallPicture, type PictureData } from '@longwire/recording';
import type { ReplayPosition, ReplayRequest } from '../dash/page-source.js';
import { createLineParser } from '../dash/recording-reader.js';
import { summaryOf } from '../report-error.js';
import { PAGE_JSON_BOUNDS, type PageClient } from './page-client.js';
import type { Away, TopSource } from './source.js';

/** How large one event may be: a picture is. */
const MAX_EVENT_BYTES = 64 * 1024 * 1024;
/** How long after it was lost the stream is opened anew, at first and at most, in milliseconds. */
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 10_000;
/** A page says every 10 seconds that it is there. */
const SILENT_MS = 25_000;

/** What a page shows, for as long as it does: the same stream, read again whenever it is lost. */
export class FollowedPage implements TopSource {
  readonly #client: PageClient;
  readonly #ended = new AbortController();
  readonly #parseLine = createLineParser();
  #picture = new Picture();
  #hasPicture = false;
  #canCall = false;
  #position: ReplayPosition | undefined;
  #aheadMs = 0;
  #lastEventId: string | undefined;
  #away: Away | undefined;
  #delayMs = FIRST_DELAY_MS;
  #following: Promise<void> | undefined;

  private constructor(client: PageClient) {
    this.#client = client;
  }

  /**
   * Opens a page. Fulfilled when there is something to show.
   *
   * @throws LongwireError where it cannot be opened, or is no page.
   */
  static async open(client: PageClient, signal: AbortSignal): Promise<FollowedPage> {
    const page = new FollowedPage(client);
    const end = (): void => page.#ended.abort();
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    try {
      await new Promise<void>((resolve, reject) => {
        page.#following = page.#follow(resolve);
        page.#following.then(() => reject(aborted()), reject);
      });
      return page;
    } catch (error) {
      await page.close();
      throw error;
    } finally {
      signal.removeEventListener('abort', end);
    }
  }

  get log(): TopSource['log'] {
    return { picture: this.#picture };
  }

  get servers(): TopSource['servers'] {
    const { signal } = this.#ended;
    return this.#canCall ? { cancel: (call) => this.#client.cancel(call, signal) } : undefined;
  }

  get position(): ReplayPosition | undefined {
    return this.#position;
  }

  get aheadMs(): number {
    return this.#aheadMs;
  }

  get away(): Away | undefined {
    return this.#away;
  }

  /** A call with its values. Numbers are those of one node: behind a balancer, another may have answered. */
  async call(call: number): Promise<CallPicture | undefined> {
    const known = this.#picture.find(call);
    const found = await this.#client.call(call, this.#ended.signal);
    const isSame = found?.call === call && found.server === known?.server && found.at === known.at;
    return isSame ? found : undefined;
  }

  async control(request: ReplayRequest): Promise<void> {
    await this.#client.control(request, this.#ended.signal);
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#following?.catch(() => undefined);
  }

  /** Reads one stream after the other. Rejected where the first one has shown nothing. */
  async #follow(shown: () => void): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      try {
        await this.#read(shown);
        this.#lose('The page has ended its stream');
      } catch (error) {
        if (!this.#hasPicture) throw error;
        this.#lose(summaryOf(error));
      }
      if (!this.#hasPicture) throw noPage(this.#client.url);
      await sleep(this.#delayMs, undefined, { signal }).catch(() => undefined);
      this.#delayMs = Math.min(this.#delayMs * 2, MAX_DELAY_MS);
    }
  }

  async #read(shown: () => void): Promise<void> {
    const attempt = new AbortController();
    const signal = AbortSignal.any([this.#ended.signal, attempt.signal]);
    const stream = await this.#client.stream(this.#lastEventId, signal);
    if (this.#hasPicture) this.#goLive();
    const decoder = new EventDecoder({
      maxEventBytes: MAX_EVENT_BYTES,
      onEvent: (event) => {
        try {
          this.#take(event);
        } catch (cause) {
          throw noPage(this.#client.url, cause);
        }
        shown();
      },
    });
    const silence = setTimeout(
      () => attempt.abort(new Error('The page was silent for too long')),
      SILENT_MS,
    );
    try {
      for await (const { buffer, byteOffset, length } of stream) {
        silence.refresh();
        decoder.push(Buffer.from(buffer, byteOffset, length));
      }
    } finally {
      clearTimeout(silence);
      // What is left of it is not read.
      attempt.abort();
    }
  }

  /** @throws Error for what no page says. */
  #take({ type, data, id }: StreamEvent): void {
    if (!this.#hasPicture && type !== 'snapshot') throw new Error(`it began with ${type}`);
    this.#lastEventId = id ?? this.#lastEventId;
    switch (type) {
      case 'snapshot':
        return this.#begin(parseJson(data, PAGE_JSON_BOUNDS));
      case 'lines':
        for (const line of parseJson(data, PAGE_JSON_BOUNDS) as readonly unknown[]) {
          const known = this.#parseLine(JSON.stringify(line));
          // One of a kind that this version does not know changes nothing.
          if (known !== undefined) this.#picture.apply(known);
        }
        return;
      case 'replay':
        this.#position = parseJson(data, PAGE_JSON_BOUNDS) as ReplayPosition;
    }
  }

  #begin(snapshot: unknown): void {
    const { at, canCall, replay, picture } = snapshot as Snapshot;
    this.#picture = Picture.owning(picture);
    this.#hasPicture = true;
    this.#aheadMs = Number(at) - Date.now() || 0;
    this.#canCall = canCall === true;
    this.#position = replay;
    this.#goLive();
  }

  #goLive(): void {
    this.#away = undefined;
    this.#delayMs = FIRST_DELAY_MS;
  }

  #lose(why: string): void {
    const { since } = this.#away ?? { since: this.#now };
    this.#away = { since, why: `${why}. It is opened again.` };
  }

  get #now(): number {
    return Date.now() + this.#aheadMs;
  }
}

/** What a page sends first. */
interface Snapshot {
  readonly at: number;
  readonly canCall: boolean;
  readonly replay?: ReplayPosition;
  readonly picture: PictureData;
}

function noPage(url: string, cause?: unknown): LongwireError {
  return new LongwireError(`what is at ${url} is no page of this version of Longwire`, {
    code: 'not-mcp',
    certainty: 'refused',
    hint: 'check the URL, and that both are of one version',
    cause,
  });
}

function aborted(): LongwireError {
  return new LongwireError('it was ended', { code: 'aborted', certainty: 'not-sent' });
}
