import { LongwireError } from '@longwire/client';
import {
  DEFAULT_JSON_BOUNDS,
  isObject,
  networkFetch,
  networkReason,
  parseExactJson,
  type JsonBounds,
} from '@longwire/client/internal';
import type { CallPicture } from '@longwire/recording';
import { usageError } from '../command-error.js';
import type { Context } from '../context.js';
import type { ReplayRequest } from '../dash/page-source.js';
import { networkFor } from '../network.js';
import { sanitizeLine } from '../sanitize.js';
import { headersFor } from '../target-client.js';

/** A picture may have twenty thousand calls and events. */
export const PAGE_JSON_BOUNDS: JsonBounds = { ...DEFAULT_JSON_BOUNDS, maxJsonValues: 10_000_000 };
/** How long a page has to answer without `--timeout`, in milliseconds. */
const ANSWER_MS = 30_000;
/** How much is read of an answer that is an error. */
const MAX_ERROR_CHARS = 2_000;

interface PageRequest {
  readonly signal: AbortSignal;
  readonly method?: 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Asks the server of a page for what the page itself asks it for. */
export class PageClient {
  /** Without its secrets. */
  readonly url: string;
  readonly timeoutMs: number;
  readonly #base: URL;
  readonly #fetch: typeof fetch;
  readonly #headers: () => Record<string, string>;

  /**
   * `address` is that of the page. Its user and password are sent as a browser does, and the token of
   * `longwire dash` as the page does.
   *
   * @throws LongwireError (usage) where it is none.
   */
  constructor(context: Context, address: string) {
    const given = URL.canParse(address) ? new URL(address) : undefined;
    if (given === undefined || !/^https?:$/.test(given.protocol)) {
      throw usageError('--page wants the URL of a page, such as http://127.0.0.1:3001/page');
    }
    const base = new URL(given.pathname.replace(/\/?$/, '/'), given.origin);
    const headersOf = headersFor(given.href, context);
    const own = ownHeaders(given);
    this.url = context.redactor.message(sanitizeLine(base.href.replace(/\/$/, '')));
    this.timeoutMs = context.options.timeoutMs ?? ANSWER_MS;
    this.#base = base;
    this.#fetch = networkFetch(networkFor(context));
    this.#headers = () => {
      const given = headersOf({
        method: 'GET',
        url: base,
        transport: 'sse',
        attempt: 1,
        internal: true,
      });
      if (own !== undefined) context.requests.credentials = 'header';
      return { ...given, ...own, ...context.options.headers };
    };
  }

  /**
   * Opens the stream of the page. What it throws says what to do.
   *
   * @throws LongwireError
   */
  async stream(
    lastEventId: string | undefined,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.#ask('api/stream', {
      signal,
      headers: {
        accept: 'text/event-stream',
        ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
      },
    });
    const { body, headers, status } = response;
    const isStream = /^text\/event-stream\b/i.test(headers.get('content-type') ?? '');
    if (status === 200 && isStream && body !== null) return body;
    throw this.#refused(response, await messageOf(response));
  }

  /** A call with as much of its values as is kept; `undefined` for one that is not known any more. */
  async call(call: number, signal: AbortSignal): Promise<CallPicture | undefined> {
    const response = await this.#ask(`api/calls/${call}`, { signal });
    if (!response.ok) {
      await response.body?.cancel();
      return undefined;
    }
    const found = parseExactJson(await response.text(), PAGE_JSON_BOUNDS);
    return isObject(found) ? (found as unknown as CallPicture) : undefined;
  }

  /** Whether there was such a call in flight. @throws LongwireError */
  async cancel(call: number, signal: AbortSignal): Promise<boolean> {
    return this.#post(`api/calls/${call}/cancel`, {}, signal);
  }

  /** Moves a replay. @throws LongwireError */
  async control(request: ReplayRequest, signal: AbortSignal): Promise<void> {
    await this.#post('api/replay', request, signal);
  }

  async #post(path: string, body: object, signal: AbortSignal): Promise<boolean> {
    const response = await this.#ask(path, {
      method: 'POST',
      signal,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const message = await messageOf(response);
    if (response.ok || response.status === 404) return response.ok;
    throw this.#refused(response, message);
  }

  /** @throws LongwireError where nobody answers, or not in time. */
  async #ask(path: string, init: PageRequest): Promise<Response> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), this.timeoutMs);
    try {
      return await this.#fetch(new URL(path, this.#base), {
        ...init,
        redirect: 'manual',
        headers: { ...this.#headers(), 'x-longwire-page': '1', ...init.headers },
        signal: AbortSignal.any([init.signal, late.signal]),
      });
    } catch (cause) {
      const certainty = 'not-sent';
      if (init.signal.aborted) {
        throw new LongwireError('it was ended', { code: 'aborted', certainty, cause });
      }
      if (late.signal.aborted) {
        const message = `the page at ${this.url} did not answer within ${this.timeoutMs} ms`;
        throw new LongwireError(message, { code: 'connect-timeout', certainty, cause });
      }
      // `fetch` itself says only that it failed.
      const { cause: reason = cause } = cause as Error;
      const why = networkReason(reason as Error, this.#base);
      throw new LongwireError(`the page at ${this.url} cannot be reached: ${why}`, {
        code: 'connect-failed',
        certainty,
        cause,
        hint: 'check the URL, and that its server runs',
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Why an answer is none of a page. */
  #refused({ status }: Response, said: string): LongwireError {
    const answered = `the page at ${this.url} answered ${status}${said === '' ? '' : `: ${said}`}`;
    const certainty = 'refused';
    if (status === 401) return new LongwireError(answered, { code: 'unauthorized', certainty });
    if (status === 403) return new LongwireError(answered, { code: 'forbidden', certainty });
    if (status >= 500) {
      const hint = 'the log of its server says why';
      return new LongwireError(answered, { code: 'connect-failed', certainty, hint });
    }
    return new LongwireError(`there is no page at ${this.url} (it answered ${status})`, {
      code: 'not-mcp',
      certainty,
      hint: `a server with the option page has it at /page of its mount, such as ${this.#elsewhere}; longwire dash prints the address of its own`,
    });
  }

  /** Where a page would be whose server was named. */
  get #elsewhere(): string {
    const path = this.url.replace(/(?:\/(?:mcp|sse|messages|page))+$/, '');
    return `${path}/page`;
  }
}

/** What the address itself has for whoever opens it. */
function ownHeaders({ username, password, searchParams }: URL): Record<string, string> | undefined {
  const token = searchParams.get('token');
  if (token !== null) return { authorization: `Bearer ${token}` };
  if (username === '' && password === '') return undefined;
  const basic = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(basic).toString('base64')}` };
}

/** What an answer that is an error says in its body, if that is one of ours. */
async function messageOf(response: Response): Promise<string> {
  try {
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      if (text.length > MAX_ERROR_CHARS) return '';
    }
    const { error } = JSON.parse(text) as { error?: { message?: unknown } };
    return typeof error?.message === 'string' ? sanitizeLine(error.message) : '';
  } catch {
    return '';
  }
}
