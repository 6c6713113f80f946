import { randomUUID } from 'node:crypto';
import { eventText, HostileServer, parseJson } from './hostile.mjs';
import { TOOLS } from './workshop.mjs';

/**
 * @typedef {import('./hostile.mjs').Request} Request
 * @typedef {import('./hostile.mjs').Response} Response
 */

/** A server of the tool-events transport that goes wrong as it is told to. */
export class ToolEventsServer extends HostileServer {
  transport = /** @type {const} */ ('tool-events');
  /** Where results are said: in the body of the POST, or on the stream after a 202. */
  resultsIn = /** @type {'body' | 'stream'} */ ('body');
  /** Whether the `tools` event is kept back. */
  keepsTools = false;
  /** How often a comment is sent, to show that the line is alive; 0 for never. */
  commentEveryMs = 0;
  /** @type {Map<string, { response: Response, stop: AbortController }>} */
  #sessions = new Map();

  /** @override @param {Request} request @param {Response} response */
  handle(request, response) {
    const { method, url } = request;
    if (method === 'GET' && url.pathname === '/sse') {
      if (!this.answerGet?.(request, response)) this.#open(response);
    } else if (method === 'POST' && url.pathname === '/sse') {
      void this.#take(request, response);
    } else {
      response.writeHead(404).end();
    }
  }

  /** @param {Response} response */
  #open(response) {
    const sessionId = randomUUID();
    const stop = new AbortController();
    this.#sessions.set(sessionId, { response, stop });
    this.beginStream(response, { sessionId, lastEventId: undefined, resumed: false });
    const comments =
      this.commentEveryMs > 0
        ? setInterval(() => response.write(': alive\n\n'), this.commentEveryMs)
        : undefined;
    response.once('close', () => {
      clearInterval(comments);
      this.#sessions.delete(sessionId);
      stop.abort();
    });
    response.write(eventText('endpoint', `/messages/?session_id=${sessionId}&v=2`));
    if (this.keepsTools) return;
    const tools = TOOLS.map(({ name, description, inputSchema }) => ({
      name,
      description,
      input_schema: inputSchema,
    }));
    response.write(eventText('tools', tools));
    this.readySessions += 1;
  }

  /** @param {Request} request @param {Response} response */
  async #take({ body }, response) {
    const message = parseJson(body);
    const sessionId = String(message?.session_id);
    const { post, answer } = this.record({ sessionId, key: message?.args?.key, message }, response);
    const session = this.#sessions.get(sessionId);
    if (answer !== undefined) {
      if (answer.execute && session) await this.#run(message, session.stop.signal);
    } else if (session === undefined) {
      this.refuse(post, response, { status: 404, body: 'no such session' });
    } else if (this.resultsIn === 'body') {
      post.status = 200;
      this.beginStream(response);
      // Whoever stops waiting for the body has cancelled the call.
      const stop = new AbortController();
      response.once('close', () => stop.abort());
      const text = await this.#run(message, stop.signal);
      if (text !== undefined) response.end(eventText('result', JSON.stringify(text)));
    } else {
      this.refuse(post, response, { status: 202 });
      const text = await this.#run(message, session.stop.signal);
      if (text !== undefined) session.response.write(eventText('result', JSON.stringify(text)));
    }
  }

  /** @param {any} message @param {AbortSignal} signal */
  #run({ tool, args }, signal) {
    return this.workshop.run(tool, args ?? {}, { signal });
  }
}
