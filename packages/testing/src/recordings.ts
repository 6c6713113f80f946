import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { McpRequest, McpResponse, Middleware, ServerTarget } from '@longwire/client';
import { VERSION } from '@longwire/client/internal';
import {
  createHeader,
  createRecorder,
  parseRecording,
  playServer,
  toLine,
  type CatalogueLine,
  type Recorder,
  type Recording,
} from '@longwire/recording';

/** Options of {@link replayFrom}. */
export interface ReplayOptions {
  /** Which server of the recording. Default: the only one. */
  server?: string;
}

/** Where a server of the newest era says what it is. */
const SERVER_INFO = 'io.modelcontextprotocol/serverInfo';

/** What requests list, and in which member of their results. */
const LISTS: Readonly<Partial<Record<string, readonly [CatalogueLine['kind'], string]>>> = {
  'tools/list': ['tools', 'tools'],
  'resources/list': ['resources', 'resources'],
  'resources/templates/list': ['templates', 'resourceTemplates'],
  'prompts/list': ['prompts', 'prompts'],
};

/**
 * A middleware that records into a file what servers list and what they answer, for {@link replayFrom}. It
 * comes first in the list of a client. Secrets that the client knows are not in the file. The file is written
 * anew, line by line; its folder is made if there is none.
 *
 * @throws Error for a file that cannot be written, or that is there and is no recording.
 */
export function recordTo(file: string): Middleware {
  if (existsSync(file) && statSync(file).size > 0) readRecording('recordTo', file);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, toLine(createHeader(`longwire/${VERSION}`)));
  const recorder = createRecorder({ write: (line) => appendFileSync(file, toLine(line)) });
  const record = new Map<string, ReturnType<Recorder['middleware']>>();
  const lists = new Map<string, unknown[]>();
  const run: Middleware = async (request, next) => {
    const { server } = request;
    let own = record.get(server);
    if (own === undefined) record.set(server, (own = recorder.middleware(server)));
    const response = await own(request, next);
    learn(request, response, { recorder, lists });
    return response;
  };
  return Object.assign(run, { addsNoIdentity: true });
}

/**
 * A server that answers from a recording, as a target: `connect(replayFrom(file))`. Each call with the same
 * arguments gets the next answer that was recorded, and the last one again and again. A call that was not
 * recorded fails, and says what was.
 *
 * @throws Error for a file that is not there or is no recording; TypeError if it does not say which server.
 */
export function replayFrom(file: string, options: ReplayOptions = {}): ServerTarget {
  const { lines } = readRecording('replayFrom', file);
  const servers = new Set(lines.flatMap((line) => (line.type === 'gap' ? [] : [line.server])));
  const [first, ...others] = servers;
  const { server = first } = options;
  if (server === undefined) throw new TypeError(`replayFrom: nothing is recorded in ${file}`);
  const names = [...servers].join(', ');
  if (!servers.has(server)) {
    throw new TypeError(`replayFrom: ${file} has no server ${server}; it has ${names}`);
  }
  if (options.server === undefined && others.length > 0) {
    throw new TypeError(`replayFrom: ${file} has ${names}: say which by the option server`);
  }
  return { server: () => playServer(lines, server) };
}

/** Learns what a server is and has from what it answers. */
function learn(
  { server, method, params }: McpRequest,
  { result }: McpResponse,
  { recorder, lists }: { recorder: Recorder; lists: Map<string, unknown[]> },
): void {
  // The answer to the question for the newest era may be that to `initialize`.
  if (method === 'initialize' || method === 'server/discover') {
    const meta = (result['_meta'] ?? {}) as Readonly<Record<string, unknown>>;
    const { name, version } = (result['serverInfo'] ?? meta[SERVER_INFO] ?? {}) as {
      name?: unknown;
      version?: unknown;
    };
    if (typeof name !== 'string' || typeof version !== 'string') return;
    recorder.server({ server, info: { name, version } });
    return;
  }
  const [kind, member] = LISTS[method] ?? [];
  const page = member === undefined ? undefined : result[member];
  if (kind === undefined || !Array.isArray(page)) return;
  const key = `${kind} ${server}`;
  const before = params?.['cursor'] === undefined ? [] : (lists.get(key) ?? []);
  const items = [...before, ...(page as unknown[])];
  lists.set(key, items);
  recorder.catalogue({ server, kind, items: items as CatalogueLine['items'] });
}

function readRecording(caller: string, file: string): Recording {
  try {
    return parseRecording(readFileSync(file, 'utf8'));
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const why = isMissing
      ? `there is no recording ${file}: make it by recordTo`
      : `${file}: ${(error as Error).message}`;
    throw new Error(`${caller}: ${why}`, { cause: error });
  }
}
