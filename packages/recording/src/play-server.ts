import { askedFor, type AskedFor } from './asked-for.js';
import type { CatalogueLine, EndLine, ProgressLine, RecordedLine, ServerLine } from './format.js';
import { keepValue } from './values.js';

/** A message of JSON-RPC, by what matters here. */
export interface PlayedMessage {
  readonly jsonrpc: '2.0';
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: unknown;
}

/** A transport of the official SDK, by its shape. */
export interface PlayedTransport {
  onmessage?: ((message: never) => void) | undefined;
  start(): Promise<void>;
  send(message: never): Promise<void>;
  close(): Promise<void>;
}

/** A server in memory, as `connect({ server })` of `@longwire/client` takes one. */
export interface PlayedServer {
  connect(transport: PlayedTransport): Promise<void>;
  close(): Promise<void>;
}

interface PlayedCall {
  readonly progress: ProgressLine[];
  end?: EndLine;
}

/** What a session of the server has to know. */
interface Played {
  readonly known: Partial<ServerLine>;
  readonly catalogue: Partial<Record<CatalogueLine['kind'], CatalogueLine['items']>>;
  /** The calls that ended, by what they ask for, in the order in which they began. */
  readonly calls: ReadonlyMap<string, readonly PlayedCall[]>;
}

/** The default of a recorder: a longer value is in the recording by its beginning. */
const MAX_VALUE_BYTES = 1024 * 1024;
const MAX_SHOWN_CHARS = 200;
/** How many of the calls that were recorded are named in place of one that was not. */
const MAX_ALIKE = 5;
const METHOD_NOT_FOUND = -32_601;
const INVALID_PARAMS = -32_602;
const SERVER_ERROR = -32_000;

/** Where lists are in the catalogue, and what they are called in the answer. */
const LISTS = new Map<string, readonly [CatalogueLine['kind'], string]>([
  ['tools/list', ['tools', 'tools']],
  ['resources/list', ['resources', 'resources']],
  ['resources/templates/list', ['templates', 'resourceTemplates']],
  ['prompts/list', ['prompts', 'prompts']],
]);
/** What has nothing to tell. */
const DONE: readonly string[] = [
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
];

/**
 * One server of a recording as a server in memory, for tests. It lists what was listed, and answers calls
 * as they were answered, with their progress: each call with the same arguments gets the next of those
 * answers, and the last one again and again. A call that failed without an answer is answered with an
 * error, and so is one that was not recorded, which says so. It sends nothing unasked.
 *
 * @throws TypeError if there is no such server.
 */
export function playServer(lines: readonly RecordedLine[], server: string): PlayedServer {
  const played = readServer(lines, server);
  let transport: PlayedTransport | undefined;
  return {
    async connect(given) {
      transport = given;
      const send = (message: object): void => void given.send(message as never);
      const session = new PlayedSession(played, server, send);
      given.onmessage = (message) => session.take(message);
      await given.start();
    },
    close: async () => transport?.close(),
  };
}

class PlayedSession {
  readonly #played: Played;
  readonly #server: string;
  readonly #send: (message: object) => void;
  /** How many answers were given to each call. */
  readonly #given = new Map<string, number>();

  constructor(played: Played, server: string, send: (message: object) => void) {
    this.#played = played;
    this.#server = server;
    this.#send = send;
  }

  take({ id, method = '', params }: PlayedMessage): void {
    // A notification, or an answer.
    if (id === undefined || method === '') return;
    const given = (params ?? {}) as Readonly<Record<string, unknown>>;
    const answer = this.#protocol(method, given) ?? this.#call(method, given);
    this.#send({ jsonrpc: '2.0', id, ...answer });
  }

  /** The answer to what is no call of a program; `undefined` for what is one. */
  #protocol(method: string, params: Readonly<Record<string, unknown>>): object | undefined {
    const { known, catalogue } = this.#played;
    if (method === 'initialize') {
      return {
        result: {
          protocolVersion: params['protocolVersion'],
          serverInfo: known.info ?? { name: this.#server, version: '0' },
          capabilities: capabilitiesOf(catalogue),
        },
      };
    }
    const [kind, member] = LISTS.get(method) ?? [];
    if (kind !== undefined) return { result: { [member ?? kind]: catalogue[kind] ?? [] } };
    return DONE.includes(method) ? { result: {} } : undefined;
  }

  #call(method: string, params: Readonly<Record<string, unknown>>): object {
    const key = keyOf(method, askedFor(method, params));
    const calls = this.#played.calls.get(key);
    const given = this.#given.get(key) ?? 0;
    const call = calls?.[Math.min(given, calls.length - 1)];
    if (call?.end === undefined) {
      const isKnown = /^(?:tools|prompts|resources)\//.test(method);
      const message = `the recording has no such call: ${shown(key)}${this.#alike(method, params)}`;
      return { error: { code: isKnown ? INVALID_PARAMS : METHOD_NOT_FOUND, message } };
    }
    this.#given.set(key, given + 1);
    const { progressToken } = (params['_meta'] ?? {}) as { progressToken?: unknown };
    for (const { progress, total, message } of progressToken === undefined ? [] : call.progress) {
      const told = { progressToken, progress, total, message };
      this.#send({ jsonrpc: '2.0', method: 'notifications/progress', params: told });
    }
    const { outcome, error, result } = call.end;
    if (outcome !== 'error') return { result };
    return { error: { code: error?.number ?? SERVER_ERROR, message: error?.message ?? 'failed' } };
  }

  /** What the recording has in place of a call: those of the same name, else any. */
  #alike(method: string, params: Readonly<Record<string, unknown>>): string {
    const { name } = askedFor(method, params);
    const all = [...this.#played.calls].flatMap(([key, calls]) => (calls.length > 0 ? [key] : []));
    const named = all.filter((key) => key.startsWith(`${method} ${name} `));
    const some = (named.length > 0 ? named : all).slice(0, MAX_ALIKE).map(shown);
    return some.length === 0 ? '' : `; it has ${some.join(', ')}`;
  }
}

/** A call, for a message. */
function shown(key: string): string {
  return key.slice(0, MAX_SHOWN_CHARS);
}

function readServer(lines: readonly RecordedLine[], server: string): Played {
  let known: Partial<ServerLine> = {};
  const catalogue: Played['catalogue'] = {};
  const calls = new Map<string, PlayedCall[]>();
  const byNumber = new Map<number, PlayedCall>();
  let isThere = false;
  for (const line of lines) {
    if (line.type === 'gap' || line.server !== server) continue;
    isThere = true;
    switch (line.type) {
      case 'server':
        known = { ...known, ...line };
        break;
      case 'catalogue':
        catalogue[line.kind] = line.items;
        break;
      case 'call': {
        const call: PlayedCall = { progress: [] };
        const key = keyOf(line.method, line);
        byNumber.set(line.call, call);
        const alike = calls.get(key);
        if (alike === undefined) calls.set(key, [call]);
        else alike.push(call);
        break;
      }
      case 'progress':
        byNumber.get(line.call)?.progress.push(line);
        break;
      case 'end': {
        const call = byNumber.get(line.call);
        if (call !== undefined) call.end = line;
        break;
      }
      // Nobody asks for it.
      default:
    }
  }
  if (!isThere) throw new TypeError(`the recording has no server ${server}`);
  const ended = [...calls].map(
    ([key, all]) => [key, all.filter(({ end }) => end !== undefined)] as const,
  );
  return { known, catalogue, calls: new Map(ended) };
}

function capabilitiesOf({ tools, resources, templates, prompts }: Played['catalogue']): object {
  return {
    logging: {},
    ...(tools !== undefined && { tools: {} }),
    ...((resources ?? templates) !== undefined && { resources: { subscribe: true } }),
    ...(prompts !== undefined && { prompts: {} }),
  };
}

/** What a call asks for, as a recorder keeps it, in one order of its members. No arguments are as none given. */
function keyOf(method: string, { name, arguments: args }: AskedFor): string {
  const kept = keepValue(args ?? {}, { redact: (text) => text, maxValueBytes: MAX_VALUE_BYTES });
  return [method, ...(name === undefined ? [] : [name]), JSON.stringify(sorted(kept))].join(' ');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, member]) => [name, sorted(member)]));
}
