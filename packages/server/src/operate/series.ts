import type { Call, CallOutcome } from '../calls/call.js';
import { failureOf, httpVersionOf, OVER_HTTP, type Attributes } from './attributes.js';
import { KnownNames } from './known-names.js';
import * as names from './names.js';

/** Methods of every version of MCP: what a client makes up has no label. */
const METHODS: readonly string[] = [
  'completion/complete',
  'initialize',
  'logging/setLevel',
  'ping',
  'prompts/get',
  'prompts/list',
  'resources/list',
  'resources/read',
  'resources/subscribe',
  'resources/templates/list',
  'resources/unsubscribe',
  'server/discover',
  'subscriptions/listen',
  'tasks/cancel',
  'tasks/get',
  'tasks/list',
  'tasks/result',
  'tasks/update',
  'tools/call',
  'tools/list',
];

/** How many names of each kind have a label of their own. */
const MAX_TOOLS = 500;
const MAX_PROMPTS = 500;
const MAX_METHODS = 100;
const MAX_VERSIONS = 20;
const MAX_CODES = 50;
/** How many series there are; what comes after them is counted together. */
const MAX_SERIES = 5_000;

/** Says to which series of a metric a call belongs, so that there are never too many. */
export class CallSeries<Kept> {
  readonly #make: (series: Attributes) => Kept;
  readonly #kept = new Map<string, Kept>();
  readonly #methods = new KnownNames(MAX_METHODS, METHODS);
  readonly #tools = new KnownNames(MAX_TOOLS);
  readonly #prompts = new KnownNames(MAX_PROMPTS);
  readonly #versions = new KnownNames(MAX_VERSIONS);
  readonly #codes = new KnownNames(MAX_CODES);

  constructor(make: (series: Attributes) => Kept) {
    this.#make = make;
  }

  /** The series of a call that has ended. Every call passes here: no object is made for most. */
  of(call: Call, outcome: CallOutcome): Kept {
    this.#learn(call, outcome);
    const { target = '' } = call;
    const method = this.#methods.labelOf(call.method);
    const tool = method === 'tools/call' ? this.#tools.labelOf(target) : '';
    const prompt = method === 'prompts/get' ? this.#prompts.labelOf(target) : '';
    const version = this.version(call.protocolVersion) ?? '';
    const http = httpVersionOf(call) ?? '';
    const failed = failureOf(outcome)?.attributes;
    const type = this.#errorLabel(failed?.[names.ERROR_TYPE]);
    const code = this.#errorLabel(failed?.[names.ERROR_CODE]);
    const key = `${method}\n${tool}\n${prompt}\n${version}\n${http}\n${type}\n${code}`;
    let kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    if (this.#kept.size < MAX_SERIES) {
      kept = this.#make({
        [names.METHOD]: method,
        ...(tool !== '' && { [names.OPERATION]: names.EXECUTE_TOOL, [names.TOOL]: tool }),
        ...(prompt !== '' && { [names.PROMPT]: prompt }),
        ...(version !== '' && { [names.PROTOCOL_VERSION]: version }),
        ...OVER_HTTP,
        ...(http !== '' && { [names.NETWORK_PROTOCOL_VERSION]: http }),
        ...(type !== '' && { [names.ERROR_TYPE]: type }),
        ...(code !== '' && { [names.ERROR_CODE]: code }),
      });
      this.#kept.set(key, kept);
      return kept;
    }
    kept = this.#kept.get('') ?? this.#make({ [names.METHOD]: names.OTHER, ...OVER_HTTP });
    this.#kept.set('', kept);
    return kept;
  }

  /** The label of a protocol version, which a client may make up. */
  version(version: string | undefined): string | undefined {
    if (version === undefined) return undefined;
    if (/^\d{4}-\d{2}-\d{2}$/.test(version)) this.#versions.add(version);
    return this.#versions.labelOf(version);
  }

  /** A server knows what it lists, and what it answers with a result. */
  #learn({ method, target }: Call, outcome: CallOutcome): void {
    if (outcome.kind !== 'result') return;
    const { result } = outcome;
    switch (method) {
      case 'tools/call':
        if (result['isError'] !== true) this.#tools.add(target);
        return;
      case 'prompts/get':
        this.#prompts.add(target);
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

  /** Tools may answer with any number. */
  #errorLabel(value: string | number | undefined): string {
    if (value === undefined) return '';
    this.#codes.add(value);
    return this.#codes.labelOf(String(value));
  }
}

function addListed(known: KnownNames, listed: unknown): void {
  if (!Array.isArray(listed)) return;
  for (const item of listed) known.add((item as { name?: unknown } | null)?.name);
}
