import {
  createClient,
  LongwireError,
  type AnyTools,
  type CallToolResult,
  type ClientOptions,
  type LongwireClient,
  type McpRequest,
  type Middleware,
  type ToolTypes,
} from '@longwire/client';
import { nearest } from '@longwire/client/internal';
import { FakeSession, RequestError, type Params, type RequestOptions } from './fake-server.js';
import { FakeTasks, type Era, type RunTask } from './fake-tasks.js';
import { checkArguments, errorResult, listed, resultOf } from './fake-tools.js';
import { checkGroup } from './option-checks.js';
import type {
  FakeAnswer,
  FakeCall,
  FakeClient,
  FakeEvents,
  FakePrompt,
  FakeResource,
  Fakes,
  FakeToolDefinition,
  FakeToolFunction,
} from './fake-types.js';

/** Under this name a request says which call of the program it is. */
const CALL = 'longwire/fakeCall';
const MODERN = '2026-07-28';
const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';
const METHOD_NOT_FOUND = -32_601;
const INTERNAL_ERROR = -32_603;
const INVALID_PARAMS = -32_602;
const RESOURCE_NOT_FOUND = -32_002;

const METHODS: Readonly<Partial<Record<keyof FakeEvents, string>>> = {
  log: 'notifications/message',
  resourceUpdated: 'notifications/resources/updated',
  toolsChanged: 'notifications/tools/list_changed',
  resourcesChanged: 'notifications/resources/list_changed',
  promptsChanged: 'notifications/prompts/list_changed',
};

/** What a call of the program and its run in the server know of each other. */
interface CallInProgress {
  readonly principal: string | undefined;
  /** What the call fails with, whatever the server answers. */
  thrown?: LongwireError;
}

/**
 * A client for unit tests, without a server and a network. It is a real client in front of functions: time
 * limits, aborts, progress, schemas, middlewares and events are those of every client.
 *
 * @throws TypeError for what is neither a function nor a tool with `run`, or a wrong option.
 */
export function fakeClient<Tools extends ToolTypes<Tools> = AnyTools>(
  fakes: Fakes<Tools> = {},
  options: ClientOptions = {},
): FakeClient<Tools> {
  checkGroup('fakeClient', fakes, ['tools', 'resources', 'prompts', 'tasks']);
  // The types of the tools are for the program: here they are functions like any others.
  const server = new FakeServer(
    fakes as unknown as Fakes,
    options.protocol === MODERN ? 'modern' : 'legacy',
  );
  const client: LongwireClient = createClient(
    { server: () => server.open() },
    { name: 'fake', ...options, middleware: [...(options.middleware ?? []), server.middleware] },
  );
  const emit = async (
    event: keyof FakeEvents,
    payload?: FakeEvents['notification'],
  ): Promise<void> => {
    await client.connect();
    await server.say(event, payload);
    // Its answer comes after what was said before.
    await client.health();
  };
  return Object.assign(client, { calls: server.calls, emit }) as unknown as FakeClient<Tools>;
}

/** All sessions of one fake client, and what they have in common. */
class FakeServer {
  readonly calls: FakeCall[] = [];
  readonly middleware: Middleware;
  readonly #fakes: Fakes;
  readonly #sessions = new Set<FakeSession>();
  readonly #inProgress = new Map<unknown, CallInProgress>();
  readonly #era: Era;
  readonly #tasks: FakeTasks;
  #made = 0;

  constructor(fakes: Fakes, era: Era) {
    this.#fakes = fakes;
    this.#era = era;
    this.#tasks = new FakeTasks(era, (taskId) => {
      const existing = fakes.tasks ?? {};
      const run = Object.hasOwn(existing, taskId) ? existing[taskId] : undefined;
      return run && ((context) => resultFrom(() => run({ ...context, principal: undefined })));
    });
    for (const [name, tool] of Object.entries(fakes.tools ?? {})) definitionOf(name, tool);
    const run: Middleware = (request, next) => this.#follow(request, next);
    this.middleware = Object.assign(run, { addsNoIdentity: true });
  }

  open(): FakeSession {
    const session = new FakeSession(
      (method, params, options) => this.#answer(method, params, options),
      (closed) => this.#sessions.delete(closed),
    );
    this.#sessions.add(session);
    return session;
  }

  async say(event: keyof FakeEvents, payload: object | undefined): Promise<void> {
    const said = METHODS[event];
    const note = said === undefined ? payload : { method: said, params: payload };
    const { method, params } = (note ?? {}) as Partial<FakeEvents['notification']>;
    if (typeof method !== 'string')
      throw new TypeError(`emit: a fake server has no event ${event}`);
    for (const session of this.#sessions) await session.notify(method, params);
  }

  /** An error of a tool with a code and a certainty is not changed on its way. */
  async #follow(
    request: McpRequest,
    next: Parameters<Middleware>[1],
  ): Promise<Awaited<ReturnType<Middleware>>> {
    if (request.method !== 'tools/call') return next();
    const call: CallInProgress = { principal: request.principal };
    const number = ++this.#made;
    this.#inProgress.set(number, call);
    const { _meta: meta, ...params } = request.params ?? {};
    request.params = { ...params, _meta: { ...(meta as object | undefined), [CALL]: number } };
    try {
      const response = await next();
      if (call.thrown !== undefined) throw call.thrown;
      return response;
    } catch (error) {
      throw call.thrown ?? error;
    } finally {
      this.#inProgress.delete(number);
    }
  }

  async #answer(method: string, params: Params, options: RequestOptions): Promise<unknown> {
    const ofTask = await this.#tasks.answer(method, params, options);
    const result = ofTask ?? (await this.#result(method, params, options));
    if (this.#era === 'legacy') return result;
    return { resultType: 'complete', ttlMs: 0, cacheScope: 'private', ...(result as object) };
  }

  #result(method: string, params: Params, options: RequestOptions): unknown {
    const { tools = {}, resources = {}, prompts = {} } = this.#fakes;
    switch (method) {
      case this.#era === 'modern' ? 'server/discover' : 'initialize':
        return this.#hello(params);
      case 'ping':
      case 'logging/setLevel':
      case 'resources/subscribe':
      case 'resources/unsubscribe':
        return {};
      case 'tools/list':
        return {
          tools: Object.entries(tools).map(([name, tool]) =>
            listed(name, definitionOf(name, tool)),
          ),
        };
      case 'tools/call':
        return this.#call(tools, params, options);
      case 'resources/list':
        return { resources: Object.keys(resources).map((uri) => ({ uri, name: uri })) };
      case 'resources/templates/list':
        return { resourceTemplates: [] };
      case 'resources/read':
        return { contents: [read(resources, String(params['uri']))] };
      case 'prompts/list':
        return { prompts: Object.keys(prompts).map((name) => ({ name })) };
      case 'prompts/get':
        return get(prompts, params);
      default:
        throw new RequestError(METHOD_NOT_FOUND, `a fake server has no method ${method}`);
    }
  }

  #hello({ protocolVersion }: Params): object {
    const serverInfo = { name: 'fake', version: '1.0.0' };
    const capabilities = {
      logging: {},
      tools: { listChanged: true },
      resources: { subscribe: true, listChanged: true },
      prompts: { listChanged: true },
    };
    // A client does more for a server that has tasks.
    const { tools = {}, tasks } = this.#fakes;
    const hasTasks =
      tasks !== undefined ||
      Object.entries(tools).some(([name, tool]) => definitionOf(name, tool).task !== undefined);
    if (this.#era === 'legacy') {
      const announced = { list: {}, cancel: {}, requests: { tools: { call: {} } } };
      return {
        protocolVersion,
        serverInfo,
        capabilities: { ...capabilities, ...(hasTasks && { tasks: announced }) },
      };
    }
    return {
      supportedVersions: [MODERN],
      capabilities: {
        ...capabilities,
        ...(hasTasks && { extensions: { [TASKS_EXTENSION]: {} } }),
      },
      _meta: { 'io.modelcontextprotocol/serverInfo': serverInfo },
    };
  }

  async #call(
    tools: NonNullable<Fakes['tools']>,
    params: Params,
    options: RequestOptions,
  ): Promise<unknown> {
    const name = String(params['name']);
    const args = params['arguments'] ?? {};
    const { [CALL]: number } = params['_meta'] as { [CALL]?: unknown };
    const call = this.#inProgress.get(number);
    const principal = call?.principal;
    this.calls.push({ tool: name, arguments: args, principal });
    const { run, inputSchema, task } = definitionOf(name, entryOf('tool', tools, name));
    const checked = await checkArguments(args, inputSchema);
    if ('wrong' in checked) return errorResult(`invalid arguments for ${name}: ${checked.wrong}`);
    const execute: RunTask = (context) =>
      resultFrom(async () => {
        try {
          return await run(checked.value as Record<string, unknown>, { ...context, principal });
        } catch (error) {
          if (error instanceof LongwireError && call !== undefined) call.thrown = error;
          throw error;
        }
      });
    const isTask = task !== undefined && (this.#era === 'modern' || params['task'] !== undefined);
    if (isTask) return this.#tasks.create(execute, options);
    if (task === 'required') {
      throw new RequestError(METHOD_NOT_FOUND, `${name} has to be called as a task`);
    }
    return execute(options);
  }
}

/** An error is a result of a tool, except for one that says how certain it is. */
async function resultFrom(run: () => FakeAnswer | Promise<FakeAnswer>): Promise<CallToolResult> {
  try {
    return resultOf(await run());
  } catch (error) {
    if (error instanceof LongwireError) {
      throw new RequestError(INTERNAL_ERROR, error.message, { certainty: error.certainty });
    }
    return errorResult(error instanceof Error ? error.message : String(error));
  }
}

function definitionOf(
  name: string,
  tool: FakeToolFunction | FakeToolDefinition | undefined,
): FakeToolDefinition {
  if (typeof tool === 'function') return { run: tool };
  if (typeof tool?.run === 'function') return tool;
  throw new TypeError(`tools.${name}: neither a function nor an object with a function run`);
}

function read(
  resources: NonNullable<Fakes['resources']>,
  uri: string,
): { uri: string } & Exclude<FakeResource, string> {
  const resource = entryOf('resource', resources, uri, RESOURCE_NOT_FOUND);
  return { uri, ...(typeof resource === 'string' ? { text: resource } : resource) };
}

async function get(
  prompts: Readonly<Record<string, FakePrompt>>,
  params: Params,
): Promise<unknown> {
  const prompt = entryOf('prompt', prompts, String(params['name']));
  const given = await prompt((params['arguments'] ?? {}) as Record<string, string>);
  if (typeof given !== 'string') return given;
  return { messages: [{ role: 'user', content: { type: 'text', text: given } }] };
}

function entryOf<Entry>(
  what: string,
  table: Readonly<Record<string, Entry>>,
  name: string,
  number = INVALID_PARAMS,
): Entry {
  const entry = Object.hasOwn(table, name) ? table[name] : undefined;
  if (entry !== undefined) return entry;
  const [meant] = nearest(name, Object.keys(table));
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  throw new RequestError(number, `the fake client has no ${what} ${name}${hint}`);
}
