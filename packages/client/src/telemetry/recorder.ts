import type { McpRequest, McpResponse, Middleware, RequestRoute } from '../middleware/contract.js';
import { jsonBytes } from '../middleware/json-size.js';
import { outcomeOf, outcomeOfError, type Outcome } from '../middleware/outcome.js';
import { toolOf } from '../middleware/tools.js';
import {
  errorAttributes,
  promptOf,
  responseAttributes,
  routeAttributes,
  serverAttributes,
  type Attributes,
} from './attributes.js';
import type { Instruments } from './instruments.js';
import { KnownNames } from './known-names.js';
import * as names from './names.js';
import type { Observed } from './sources.js';

/** What is recorded, wherever it is kept. */
export interface RecordOptions {
  /** How many tools have a label of their own; all others are `_OTHER`. Default 100. */
  maxTools: number;
  /** Whether sizes are measured. Default `true`. */
  sizes: boolean;
}

/** The figures of the requests of one server, method, tool and outcome. */
export interface MetricsSeries {
  /** The name that the program gave the server, else its host, or the name of a command. */
  server: string;
  method: string;
  /** Of calls. */
  tool?: string;
  outcome: Outcome;
  /** How many there were. */
  count: number;
  /** How long they took, all together and the longest, in milliseconds. */
  durationMs: { total: number; max: number };
  /** How large their params and results were as JSON, all together, about. */
  requestBytes: number;
  responseBytes: number;
}

/** A middleware that records requests, and observes what they are made on. */
export interface ClientMetrics extends Middleware {
  /**
   * Adds what a client, a pool or a group says of itself whenever metrics are collected: whether it is
   * up, how often it reconnected, what is in flight and waits, connections of a pool; how long its
   * sessions lasted; of a `cache()`, its hits and what it holds. A server that leaves its group is no
   * longer there.
   *
   * @returns a function that stops it.
   * @throws TypeError for what is none of these.
   */
  observe(source: Observed): () => void;
  /** The figures of this middleware, as plain objects. */
  snapshot(): MetricsSeries[];
}

/** What programs ask for, in every version of MCP; further methods are learned. */
const METHODS: readonly string[] = [
  'completion/complete',
  'logging/setLevel',
  'prompts/get',
  'prompts/list',
  'resources/list',
  'resources/read',
  'resources/subscribe',
  'resources/templates/list',
  'resources/unsubscribe',
  'subscriptions/listen',
  'tasks/cancel',
  'tasks/get',
  'tasks/list',
  'tasks/result',
  'tasks/update',
  'tools/call',
  'tools/list',
];
/** A program may ask for any method. */
const MAX_METHODS = 100;
/** Servers answer with any number. */
const MAX_CODES = 50;
/** How many series there are; what comes after them is counted together. */
const MAX_SERIES = 5000;

/** How one request ended. */
interface Ending {
  request: McpRequest;
  outcome: Outcome;
  /** Of its failure, or its answer. */
  attributes: Attributes;
  route: Pick<RequestRoute, 'transport' | 'protocolVersion'> | undefined;
}

/** Records with some instruments. */
export function recordWith(
  instruments: Instruments,
  { maxTools, sizes }: RecordOptions,
): ClientMetrics {
  const series = new SeriesTable(instruments, { maxTools, sizes });
  /** How each client last sent a request: one that is lost has no way any more. */
  const routes = new WeakMap<object, Ending['route'] & object>();

  const routeOf = ({ route, client }: McpRequest): Ending['route'] => {
    if (route !== undefined) routes.set(client, route);
    return route ?? routes.get(client);
  };
  const middleware: Middleware = async (request, next) => {
    if (request.internal) return next();
    const startedAt = performance.now();
    const requestBytes = sizes ? jsonBytes(request.params) : 0;
    let response: McpResponse;
    try {
      response = await next();
    } catch (error) {
      const [outcome, attributes] = [outcomeOfError(error), errorAttributes(error)];
      const ended = series.of({ request, outcome, attributes, route: routeOf(request) });
      ended.add(performance.now() - startedAt, requestBytes, undefined);
      throw error;
    }
    const responseBytes = sizes ? jsonBytes(response.result) : 0;
    const [outcome, attributes] = [outcomeOf(response), responseAttributes(response)];
    series.learn(request, response);
    const ended = series.of({ request, outcome, attributes, route: routeOf(request) });
    ended.add(performance.now() - startedAt, requestBytes, responseBytes);
    return response;
  };
  return Object.assign(middleware, {
    addsNoIdentity: true,
    observe: (source: Observed) => instruments.observe(source),
    snapshot: () => series.snapshot(),
  });
}

/** One series: its plain figures, and how to add to them and to the instruments. */
interface Series {
  add(ms: number, requestBytes: number, responseBytes: number | undefined): void;
}

/** Says to which series a request belongs, so that there are never too many. */
class SeriesTable {
  readonly #instruments: Instruments;
  readonly #sizes: boolean;
  readonly #series = new Map<string, Series>();
  readonly #figures = new Map<string, MetricsSeries>();
  readonly #methods = new KnownNames(MAX_METHODS, METHODS);
  readonly #tools: KnownNames;
  readonly #prompts: KnownNames;
  readonly #codes = new KnownNames(MAX_CODES);

  constructor(instruments: Instruments, { maxTools, sizes }: RecordOptions) {
    this.#instruments = instruments;
    this.#sizes = sizes;
    this.#tools = new KnownNames(maxTools);
    this.#prompts = new KnownNames(maxTools);
  }

  /** A server knows what it lists, and what it answers without an error. */
  learn(request: McpRequest, { result }: McpResponse): void {
    const { method } = request;
    if (method === 'tools/list') addListed(this.#tools, result['tools']);
    else if (method === 'prompts/list') addListed(this.#prompts, result['prompts']);
    else if (method === 'prompts/get') this.#prompts.add(promptOf(request));
    else if (method === 'tools/call' && result['isError'] !== true)
      this.#tools.add(toolOf(request));
    this.#methods.add(method);
  }

  /** Every call passes here: no object is made for most. */
  of(ending: Ending): Series {
    const { request, outcome, attributes, route } = ending;
    const { server, origin } = request;
    const called = toolOf(request);
    const got = promptOf(request);
    const tool = called === undefined ? '' : this.#tools.labelOf(called);
    const prompt = got === undefined ? '' : this.#prompts.labelOf(got);
    const method = this.#methods.labelOf(request.method);
    const how = `${route?.transport ?? ''}\n${route?.protocolVersion ?? ''}`;
    const { [names.ERROR_CODE]: code, [names.CERTAINTY]: sure, [names.CACHE]: cache } = attributes;
    this.#codes.add(code);
    const number = code === undefined ? '' : this.#codes.labelOf(String(code));
    const key = `${server}\n${origin}\n${method}\n${tool}\n${prompt}\n${outcome}\n${number}\n${sure}\n${cache}\n${how}`;
    const kept = this.#series.get(key) ?? this.#series.get(this.#isFull ? '' : key);
    if (kept !== undefined) return kept;
    const made = this.#isFull
      ? this.#make({ [names.METHOD]: names.OTHER }, this.#figuresOf('', names.OTHER, '', outcome))
      : this.#make(
          {
            ...serverAttributes(server, origin),
            [names.METHOD]: method,
            ...(tool !== '' && { [names.OPERATION]: names.EXECUTE_TOOL, [names.TOOL]: tool }),
            ...(prompt !== '' && { [names.PROMPT]: prompt }),
            ...routeAttributes(route),
            ...attributes,
            ...(number !== '' && { [names.ERROR_TYPE]: number, [names.ERROR_CODE]: number }),
          },
          this.#figuresOf(server, method, tool, outcome),
        );
    this.#series.set(this.#isFull ? '' : key, made);
    return made;
  }

  snapshot(): MetricsSeries[] {
    return [...this.#figures.values()].map((figures) => structuredClone(figures));
  }

  get #isFull(): boolean {
    return this.#series.size >= MAX_SERIES;
  }

  #figuresOf(server: string, method: string, tool: string, outcome: Outcome): MetricsSeries {
    const key = `${server}\n${method}\n${tool}\n${outcome}`;
    const figures: MetricsSeries = this.#figures.get(key) ?? {
      server,
      method,
      ...(tool !== '' && { tool }),
      outcome,
      count: 0,
      durationMs: { total: 0, max: 0 },
      requestBytes: 0,
      responseBytes: 0,
    };
    this.#figures.set(key, figures);
    return figures;
  }

  /** Instruments are looked up once: their labels cost more than all else here. */
  #make(attributes: Attributes, figures: MetricsSeries): Series {
    const seconds = this.#instruments.operation(attributes);
    // How it failed says nothing of its size.
    const { [names.SERVER_NAME]: server, [names.METHOD]: method, [names.TOOL]: tool } = attributes;
    const sized = Object.fromEntries(
      Object.entries({
        [names.SERVER_NAME]: server,
        [names.METHOD]: method,
        [names.TOOL]: tool,
      }).filter(([, value]) => value !== undefined),
    ) as Attributes;
    const sent = this.#sizes ? this.#instruments.requestSize(sized) : undefined;
    const received = this.#sizes ? this.#instruments.responseSize(sized) : undefined;
    return {
      add: (ms, requestBytes, responseBytes) => {
        figures.count++;
        figures.durationMs.total += ms;
        figures.durationMs.max = Math.max(figures.durationMs.max, ms);
        figures.requestBytes += requestBytes;
        figures.responseBytes += responseBytes ?? 0;
        seconds(ms / 1000);
        sent?.(requestBytes);
        if (responseBytes !== undefined) received?.(responseBytes);
      },
    };
  }
}

function addListed(known: KnownNames, listed: unknown): void {
  if (!Array.isArray(listed)) return;
  for (const item of listed) known.add((item as { name?: unknown } | null)?.name);
}
