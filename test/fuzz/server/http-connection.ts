import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { FuzzTransport } from '../fuzz-case.ts';
import type { About, Reply } from '../grammar/mutation.ts';
import { answerTexts, eventBytes, mutateResult, stringify } from './answering.ts';
import { aboutMessage, callResult, eventTools, resultOf } from './answers.ts';
import type { Mutator } from './mutator.ts';
import { Player } from './play.ts';
import { RequestReader, type WireRequest } from './request-reader.ts';

/** What the connections of one server have in common. */
export interface HttpServing {
  transport: Exclude<FuzzTransport, 'stdio'>;
  mutator: Mutator;
  onSay: (bytes: Buffer) => void;
  /** The stream on which the server speaks: the one that was opened last. */
  stream: { write: (about: About, bytes: Buffer) => void };
}

const EMPTY = Buffer.alloc(0);
const MODERN_SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';

/** Speaks HTTP on one connection, for as long as it is open. */
export function serveHttp(socket: Socket, serving: HttpServing): void {
  const connection = new HttpConnection(socket, serving);
  const reader = new RequestReader();
  socket.on('data', (chunk) => {
    for (const request of reader.read(chunk)) connection.handle(request);
  });
}

class HttpConnection {
  readonly #player: Player;
  readonly #serving: HttpServing;

  constructor(socket: Socket, serving: HttpServing) {
    this.#player = new Player(socket);
    this.#serving = serving;
  }

  handle({ method, path, body }: WireRequest): void {
    const { transport } = this.#serving;
    if (method === 'GET') this.#get(path);
    else if (method !== 'POST') this.#reply(opening(method), 200);
    else if (transport === 'tool-events') this.#postToolEvent(path, body);
    else this.#post(path, body);
  }

  #get(path: string): void {
    const { transport } = this.#serving;
    const about = opening('GET');
    const isServed =
      path === (transport === 'sse' || transport === 'tool-events' ? '/sse' : '/mcp');
    // A server of the newest era has no such stream; of the one before, it may have one.
    if (!isServed || transport.startsWith('stateless') || transport === 'streamable-json') {
      this.#reply(about, isServed ? 405 : 404);
      return;
    }
    this.#beginStream(about);
    this.#serving.stream.write = (answered, bytes) => this.#chunk(answered, bytes);
    if (transport === 'streamable-events') {
      this.#chunk(about, Buffer.from(': open\n\n'));
      return;
    }
    this.#say(about, 'endpoint', `/messages?session_id=${randomUUID()}`);
    if (transport === 'tool-events') {
      const listing: About = { ...about, purpose: 'list', method: 'tools/list' };
      const tools = eventTools(
        mutateResult(listing, resultOf(listing, 'legacy'), this.#serving.mutator),
      );
      this.#say(listing, 'tools', this.#serving.mutator.apply('json', stringify(tools), listing));
    }
  }

  #post(path: string, body: string): void {
    const { transport, mutator, stream } = this.#serving;
    const isServed = path === (transport === 'sse' ? '/messages' : '/mcp');
    const about = isServed ? aboutMessage(parse(body)) : undefined;
    if (!isServed) {
      this.#reply(opening('POST'), path === '/sse' ? 405 : 404);
      return;
    }
    if (about === undefined) {
      this.#reply(opening('notification'), 202);
      return;
    }
    const era = transport.startsWith('stateless') ? 'modern' : 'legacy';
    if (about.method === 'subscriptions/listen' && era === 'modern') {
      this.#listen(about);
      return;
    }
    const answers = answerTexts(about, era, mutator);
    if (transport === 'sse') {
      this.#reply({ ...about, purpose: 'other' }, 202);
      for (const text of answers) {
        stream.write(about, eventBytes('message', text, about, mutator));
      }
    } else if (transport.endsWith('events')) {
      this.#beginStream(about);
      for (const text of answers) this.#say(about, 'message', text);
      this.#chunk(about, EMPTY);
    } else {
      const isAnswer = (text: string): boolean => !text.includes('"notifications/progress"');
      const text = answers.filter(isAnswer).join('\n');
      const bytes = mutator.apply('bytes', Buffer.from(text), about);
      this.#reply(about, 200, bytes, 'application/json');
    }
  }

  #postToolEvent(path: string, body: string): void {
    const { mutator } = this.#serving;
    const message = parse(body);
    if (path !== '/sse' || typeof message !== 'object' || message === null) {
      this.#reply(opening('POST'), 404);
      return;
    }
    const about: About = { purpose: 'call', method: 'tools/call', id: 1, params: {} };
    const args = 'args' in message ? message.args : undefined;
    const result = mutateResult(about, callResult(args), mutator);
    const text = mutator.apply('json', stringify(result), about);
    this.#beginStream(about);
    this.#say(about, 'result', text);
    this.#chunk(about, EMPTY);
  }

  #listen(about: About): void {
    this.#beginStream(about);
    const params = {
      notifications: about.params['notifications'],
      _meta: { [MODERN_SUBSCRIPTION]: about.id },
    };
    const method = 'notifications/subscriptions/acknowledged';
    this.#say(about, 'message', stringify({ jsonrpc: '2.0', method, params }));
  }

  #beginStream(about: About): void {
    const headers: [string, string][] = [
      ['content-type', 'text/event-stream'],
      ['transfer-encoding', 'chunked'],
    ];
    this.#write(about, { status: 200, headers, body: EMPTY });
  }

  #say(about: About, name: string, data: string): void {
    this.#chunk(about, eventBytes(name, data, about, this.#serving.mutator));
  }

  /** An empty one is the last of a response. */
  #chunk(about: About, bytes: Buffer): void {
    const size = Buffer.from(`${bytes.length.toString(16)}\r\n`);
    this.#send(about, Buffer.concat([size, bytes, Buffer.from('\r\n')]));
  }

  #reply(about: About, status: number, body: Buffer = EMPTY, contentType = ''): void {
    const headers: [string, string][] = [];
    if (contentType !== '') headers.push(['content-type', contentType]);
    if (about.method === 'initialize') headers.push(['mcp-session-id', 'session-1']);
    this.#write(about, { status, headers, body });
  }

  #write(about: About, reply: Reply): void {
    const { status, headers, body } = this.#serving.mutator.apply('http', reply, about);
    const lines = headers.map(([name, value]) => `${name}: ${value}`);
    const isChunked = headers.some(([name]) => name === 'transfer-encoding');
    if (!isChunked) lines.push(`content-length: ${body.length}`);
    const head = `HTTP/1.1 ${status} Some Reason\r\n${lines.join('\r\n')}\r\n\r\n`;
    this.#send(about, Buffer.concat([Buffer.from(head, 'latin1'), isChunked ? EMPTY : body]));
    if (isChunked && body.length > 0) this.#chunk(about, body);
  }

  #send(about: About, raw: Buffer): void {
    const { mutator, onSay } = this.#serving;
    const bytes = mutator.apply('wire', raw, about);
    onSay(bytes);
    this.#player.play(mutator.apply('timing', [{ do: 'write', bytes }], about));
  }
}

/** What is no request of JSON-RPC belongs to the connecting. */
function opening(method: string): About {
  return { purpose: 'connect', method, id: undefined, params: {} };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
