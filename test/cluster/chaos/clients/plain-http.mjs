import { createParser } from 'eventsource-parser';
import { setTimeout as delay } from 'node:timers/promises';
import { outcomeOfAnswer } from '../calls.mjs';
import { CALL_MS, IDENTITY } from './client.mjs';
import { fetchAgain, idIn } from './fetch-again.mjs';

const VERSION = '2025-11-25';
const PAUSE_MS = 100;

/**
 * A hand-written client of Streamable HTTP: it resumes a stream that breaks by `Last-Event-ID`, and posts
 * the same again where it has no event id yet.
 *
 * @type {import('./client.mjs').OpenClient}
 */
export const plainHttp = async (context) => {
  const { origin, onBreach, onRetry, signal } = context;
  const url = `${origin}/mcp`;
  /** @type {Map<unknown, Answer>} */
  const awaited = new Map();
  const posting = fetchAgain({
    onRetry: ({ body }) => {
      onRetry();
      const answer = awaited.get(idIn(body));
      if (answer !== undefined) answer.isReposted = true;
    },
  });
  /** @type {Record<string, string>} */
  const headers = {
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
  };

  /** @param {object} message */
  const post = (message) =>
    posting(url, { method: 'POST', headers, body: JSON.stringify({ jsonrpc: '2.0', ...message }) });

  /** @param {string} lastEventId @returns {Promise<Response | undefined>} */
  const resume = (lastEventId) =>
    fetch(url, { headers: { ...headers, 'last-event-id': lastEventId } }).catch(() => undefined);

  /**
   * @param {{ id: string, method: string, params: object }} request
   * @returns {Promise<any>} the message that answers it
   */
  async function ask(request) {
    const endAt = Date.now() + CALL_MS;
    const answer = new Answer(request.id, onBreach);
    awaited.set(request.id, answer);
    /** @type {string | undefined} */
    let lastEventId;
    while (answer.message === undefined) {
      if (Date.now() > endAt) throw new Error('no answer in time');
      signal.throwIfAborted();
      const response = lastEventId === undefined ? await post(request) : await resume(lastEventId);
      const status = response?.status ?? 0;
      if (response !== undefined && status === 200) {
        headers['mcp-session-id'] ??= response.headers.get('mcp-session-id') ?? '';
        lastEventId = (await answer.read(response)) ?? lastEventId;
      } else if (status === 204) {
        onBreach(`the stream of ${request.id} is over, and its answer never came`);
        lastEventId = undefined;
      } else if (response !== undefined && status !== 503 && status !== 502) {
        throw new Error(`${status} ${await response.text()}`);
      } else {
        await response?.body?.cancel().catch(() => {});
      }
      if (answer.message !== undefined) break;
      onRetry();
      if (lastEventId === undefined) answer.isReposted = true;
      await delay(PAUSE_MS);
    }
    awaited.delete(request.id);
    return answer.message;
  }

  const params = { protocolVersion: VERSION, capabilities: {}, clientInfo: IDENTITY };
  await ask({ id: 'initialize', method: 'initialize', params });
  headers['mcp-protocol-version'] = VERSION;
  const told = await post({ method: 'notifications/initialized' });
  if (told.status !== 202) throw new Error(`initialized: ${told.status}`);
  return {
    call: ({ key, tool, args }) => {
      const called = { name: tool, arguments: args, _meta: { progressToken: key } };
      return ask({ id: key, method: 'tools/call', params: called }).then(
        outcomeOfAnswer,
        (error) => ({
          is: /** @type {const} */ ('failed'),
          text: String(error),
        }),
      );
    },
    close: () => fetch(url, { method: 'DELETE', headers }).catch(() => {}),
  };
};

/** What has come of the answer to one request, on all the responses that carried a part of it. */
class Answer {
  /** @type {any} */
  message;
  /** Whether its request was posted again: what was said before that is not repeated. */
  isReposted = false;
  #id;
  #onBreach;
  #progress = 0;
  #seq = 0;

  /** @param {string} id @param {(what: string) => void} onBreach */
  constructor(id, onBreach) {
    this.#id = id;
    this.#onBreach = onBreach;
  }

  /**
   * Reads a response to its end, wherever that is.
   *
   * @param {Response} response
   * @returns {Promise<string | undefined>} the last event id
   */
  async read(response) {
    if (response.headers.get('content-type')?.startsWith('application/json')) {
      this.#take(await response.json());
      return undefined;
    }
    /** @type {string | undefined} */
    let lastEventId;
    const parser = createParser({
      onEvent: ({ id, data }) => {
        lastEventId = id ?? lastEventId;
        if (data === '') return;
        const seq = Number(id?.split('.')[1]);
        if (seq <= this.#seq && !this.isReposted)
          this.#onBreach(`event ${seq} after ${this.#seq} for ${this.#id}`);
        this.#seq = seq;
        this.#take(JSON.parse(data));
      },
    });
    const text = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) {
        parser.feed(text.decode(chunk, { stream: true }));
      }
    } catch {
      // It is resumed.
    }
    return lastEventId;
  }

  /** @param {any} message */
  #take(message) {
    if (message.method === 'notifications/progress') {
      const { progress } = message.params;
      // What is safe may run again.
      if (progress !== this.#progress + 1 && progress !== 1 && !this.isReposted) {
        this.#onBreach(`progress ${progress} of ${this.#id} after ${this.#progress}`);
      }
      this.#progress = progress;
    } else if (message.id !== this.#id) {
      this.#onBreach(`an answer to ${message.id} on the stream of ${this.#id}`);
    } else {
      if (this.message !== undefined) this.#onBreach(`a second answer to ${this.#id}`);
      this.message = message;
    }
  }
}
