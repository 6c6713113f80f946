import type { McpRequest, McpResponse, RequestRoute } from '../middleware/contract.js';
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

/** To which server, and how, a client sends requests. */
export class Way {
  readonly server: string;
  readonly origin: string | undefined;
  readonly route: Pick<RequestRoute, 'transport' | 'protocolVersion'> | undefined;
  /** Distinguishes it. */
  readonly key: string;
  /** The series of its requests, by what else distinguishes them. */
  readonly series: Map<string, Series> = new Map();

  constructor({ server, origin, route }: McpRequest) {
    this.server = server;
    this.origin = origin;
    this.route = route;
    this.key = `${server}\n${origin}\n${route?.transport}\n${route?.protocolVersion}`;
  }

  /** Whether a request went this way; where its own is not known any more, it did. */
  isOf({ server, origin, route }: McpRequest): boolean {
    if (server !== this.server || origin !== this.origin) return false;
    if (route === undefined) return true;
    const { transport, protocolVersion } = this.route ?? {};
    return route.transport === transport && route.protocolVersion === protocolVersion;
  }
}

/** One series: its plain figures, and how to add to them and to the instruments. */
export interface Series {
  add(ms: number, requestBytes: number, responseBytes: number | undefined): void;
}

/** What a series is of, as far as its labels go. */
interface SeriesNames {
  method: string;
  tool: string | undefined;
  prompt: string | undefined;
}

/**
 * Says to which series a request belongs, so that there are never too many. Every call passes here: no
 * object is made for most.
 */
export class SeriesTable {
  readonly #instruments: Instruments;
  readonly #sizes: boolean;
  readonly #series = new Map<string, Series>();
  readonly #figures = new Map<string, MetricsSeries>();
  readonly #methods = new KnownNames(MAX_METHODS, METHODS);
  readonly #tools: KnownNames;
  readonly #prompts: KnownNames;
  readonly #codes = new KnownNames(MAX_CODES);

  constructor(instruments: Instruments, { maxTools, sizes }: { maxTools: number; sizes: boolean }) {
    this.#instruments = instruments;
    this.#sizes = sizes;
    this.#tools = new KnownNames(maxTools);
    this.#prompts = new KnownNames(maxTools);
  }

  /** The series of a request that was answered. */
  answered(request: McpRequest, response: McpResponse, way: Way): Series {
    this.#learn(request, response);
    const { method } = request;
    const outcome = outcomeOf(response);
    const { cache = '' } = response.metadata;
    const label = this.#targetLabel(request);
    const key = `${outcome}\n${this.#methods.labelOf(method)}\n${label}\n${cache as string}`;
    const kept = way.series.get(key);
    if (kept !== undefined) return kept;
    return this.#add(key, { request, way, outcome, attributes: responseAttributes(response) });
  }

  /** The series of a request that failed. */
  failed(request: McpRequest, error: unknown, way: Way): Series {
    const outcome = outcomeOfError(error);
    const attributes = errorAttributes(error);
    const { [names.ERROR_CODE]: number, [names.CERTAINTY]: certainty } = attributes;
    if (number !== undefined) {
      this.#codes.add(number);
      const label = this.#codes.labelOf(String(number));
      attributes[names.ERROR_TYPE] = attributes[names.ERROR_CODE] = label;
    }
    const method = this.#methods.labelOf(request.method);
    const how = `${outcome}\n${attributes[names.ERROR_CODE]}\n${certainty}`;
    const key = `${how}\n${method}\n${this.#targetLabel(request)}`;
    return way.series.get(key) ?? this.#add(key, { request, way, outcome, attributes });
  }

  snapshot(): MetricsSeries[] {
    return [...this.#figures.values()].map((figures) => structuredClone(figures));
  }

  /** A server knows what it lists, and what it answers without an error. */
  #learn(request: McpRequest, { result }: McpResponse): void {
    const { method } = request;
    switch (method) {
      case 'tools/call':
        if (result['isError'] !== true) this.#tools.add(toolOf(request));
        return;
      case 'prompts/get':
        this.#prompts.add(promptOf(request));
        return;
      case 'tools/list':
        addListed(this.#tools, result['tools']);
        return;
      case 'prompts/list':
        addListed(this.#prompts, result['prompts']);
        return;
      default:
        this.#methods.add(method);
    }
  }

  #targetLabel(request: McpRequest): string {
    const tool = toolOf(request);
    if (tool !== undefined) return this.#tools.labelOf(tool);
    const prompt = promptOf(request);
    return prompt === undefined ? '' : this.#prompts.labelOf(prompt);
  }

  #add(
    part: string,
    {
      request,
      way,
      outcome,
      attributes,
    }: { request: McpRequest; way: Way; outcome: Outcome; attributes: Attributes },
  ): Series {
    const key = `${way.key}\n${part}`;
    const present = this.#series.get(key);
    if (present !== undefined) {
      way.series.set(part, present);
      return present;
    }
    if (this.#series.size >= MAX_SERIES) return this.#rest(outcome);
    const [tool, prompt] = [toolOf(request), promptOf(request)];
    const of: SeriesNames = {
      method: this.#methods.labelOf(request.method),
      tool: tool === undefined ? undefined : this.#tools.labelOf(tool),
      prompt: prompt === undefined ? undefined : this.#prompts.labelOf(prompt),
    };
    const labels: Attributes = {
      ...serverAttributes(way.server, way.origin),
      [names.METHOD]: of.method,
      ...(of.tool !== undefined && {
        [names.OPERATION]: names.EXECUTE_TOOL,
        [names.TOOL]: of.tool,
      }),
      ...(of.prompt !== undefined && { [names.PROMPT]: of.prompt }),
      ...routeAttributes(way.route),
      ...attributes,
    };
    const series = this.#make(labels, this.#figuresOf(way.server, of, outcome));
    this.#series.set(key, series);
    way.series.set(part, series);
    return series;
  }

  /** The series of all that have none of their own. */
  #rest(outcome: Outcome): Series {
    const key = `\n${outcome}`;
    const of: SeriesNames = { method: names.OTHER, tool: undefined, prompt: undefined };
    const series =
      this.#series.get(key) ??
      this.#make({ [names.METHOD]: names.OTHER }, this.#figuresOf('', of, outcome));
    this.#series.set(key, series);
    return series;
  }

  #figuresOf(server: string, { method, tool }: SeriesNames, outcome: Outcome): MetricsSeries {
    const key = `${server}\n${method}\n${tool}\n${outcome}`;
    const figures: MetricsSeries = this.#figures.get(key) ?? {
      server,
      method,
      ...(tool !== undefined && { tool }),
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
