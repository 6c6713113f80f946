import Anthropic from '@anthropic-ai/sdk';
import type { ToolSource, WhenAway } from '@longwire/client';
import { checkWhenAway, isObject, nearest } from '@longwire/client/internal';
import type { ApprovalHook, ApprovalOptions } from './approval.js';
import { givenMessages } from './given-messages.js';

/** Parameters of the Messages API that the agent passes on unchanged. */
export type RequestExtras = Partial<
  Pick<
    Anthropic.MessageStreamParams,
    'metadata' | 'output_config' | 'service_tier' | 'stop_sequences' | 'thinking'
  >
>;

/** How long one call of a tool, or one fetch of a list of tools, may take. */
export interface CallOptions {
  /**
   * Idle time in milliseconds, started anew by every progress notification. `Infinity` for no
   * limit. Default: the source's, 60 000.
   */
  timeoutMs?: number;
  /**
   * Hard cap in milliseconds, progress or not. `Infinity` for no limit. Default: the source's,
   * 3 600 000.
   */
  deadlineMs?: number;
  /**
   * What a call does while its server is away: `wait`, `fail`, or `{ waitMs }`. Claude is told of a call
   * that fails. Default: the source's, `wait`.
   */
  whenAway?: WhenAway;
}

/** Options of {@link createAgent}. */
export interface AgentOptions {
  /**
   * Whose tools Claude may use. With one source, Claude sees the tools under their own names; with
   * several, as `name__tool`. No sources: Claude has no tools.
   */
  clients: readonly ToolSource[];
  /** Default: the environment's `ANTHROPIC_MODEL`, else `claude-sonnet-5-5`. */
  model?: string;
  /**
   * The SDK to ask with: its key, address, retries and timeouts apply. Default: a new one, which
   * reads `ANTHROPIC_API_KEY` and `ANTHROPIC_BASE_URL`.
   */
  anthropic?: Anthropic;
  /** The most tokens of one answer, thinking included. Default 16 384. */
  maxTokens?: number;
  /** The system prompt. Default: none. */
  system?: string;
  /**
   * How many rounds of tool calls a turn may take. When Claude asks for one more, the turn ends with
   * `max-rounds`. The results so far are kept, and the next `send` can continue. Default 25.
   */
  maxRounds?: number;
  /**
   * The most characters of text that Claude sees of one tool result. Of a longer result it sees the
   * beginning and a note that says how much is missing. Images are not counted. Events hold the whole
   * result. Default 100 000 (some 25 000 tokens).
   */
  maxResultChars?: number;
  /**
   * Asks a person before calls; by default before each call of a tool that may change things: see
   * {@link ApprovalOptions}. A server's own hints count only if the server is `trusted`.
   *
   * Default: nobody is asked and **every call is made**. Set this in a program that acts for a user.
   */
  approve?: ApprovalHook | ApprovalOptions;
  /**
   * Passed to every `callTool` and `listTools` of the sources. A call that times out becomes a result
   * that tells Claude so; a list that times out becomes `source-failed`. The turn continues. Default:
   * the sources' own limits.
   */
  callOptions?: CallOptions;
  /**
   * An earlier conversation: {@link Agent.messages} of another agent, also after a round trip through
   * JSON. Tool names keep their meaning if the clients are the same. Default: none.
   */
  messages?: readonly Anthropic.MessageParam[];
  /** More parameters of the Messages API. */
  request?: RequestExtras;
}

/** Options with the defaults filled in. */
export interface ResolvedAgentOptions {
  anthropic: Anthropic;
  model: string;
  maxTokens: number;
  system: string | undefined;
  maxRounds: number;
  maxResultChars: number;
  approve: Required<ApprovalOptions> | undefined;
  callOptions: Readonly<CallOptions>;
  messages: readonly Anthropic.MessageParam[];
  request: RequestExtras;
}

const defaults = {
  model: 'claude-sonnet-5-5',
  maxTokens: 16_384,
  maxRounds: 25,
  maxResultChars: 100_000,
} as const;

/**
 * Fills in the defaults.
 *
 * @throws TypeError that names the option that is wrong.
 */
export function resolveOptions(options: AgentOptions): ResolvedAgentOptions {
  checkNames(options, optionNames);
  if (!Array.isArray(options.clients)) throw new TypeError('clients must be an array');
  if (options.request !== undefined) {
    if (!isObject(options.request)) throw new TypeError('request must be an object');
    checkNames(options.request, requestNames, 'request.');
  }
  const system = options.system?.trim() === '' ? undefined : options.system;
  return {
    anthropic: options.anthropic ?? new Anthropic(),
    model: options.model || defaultModel(),
    maxTokens: positive('maxTokens', options.maxTokens ?? defaults.maxTokens),
    system,
    maxRounds: positive('maxRounds', options.maxRounds ?? defaults.maxRounds),
    maxResultChars: positive('maxResultChars', options.maxResultChars ?? defaults.maxResultChars),
    approve: resolveApproval(options.approve),
    callOptions: resolveCallOptions(options.callOptions),
    messages: givenMessages(options.messages ?? []),
    request: options.request ?? {},
  };
}

/** The model that is asked where none is given. */
export function defaultModel(): string {
  return process.env['ANTHROPIC_MODEL'] || defaults.model;
}

const optionNames: readonly (keyof AgentOptions)[] = [
  'clients',
  'model',
  'anthropic',
  'maxTokens',
  'system',
  'maxRounds',
  'maxResultChars',
  'approve',
  'callOptions',
  'messages',
  'request',
];

const requestNames: readonly (keyof RequestExtras)[] = [
  'metadata',
  'output_config',
  'service_tier',
  'stop_sequences',
  'thinking',
];

/**
 * Rejects a misspelt option, which would otherwise be ignored silently.
 *
 * @throws TypeError that names the option and the nearest.
 */
export function checkNames(options: object, known: readonly string[], prefix = ''): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const [near] = nearest(name, known);
    const guess = near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`;
    throw new TypeError(`${prefix}${name} is not an option; ${guess}`);
  }
}

function resolveApproval(given: unknown): Required<ApprovalOptions> | undefined {
  if (given === undefined) return undefined;
  if (typeof given === 'function') return { ask: 'changing', hook: given as ApprovalHook };
  if (!isObject(given)) {
    throw new TypeError('approve must be a function, or an object with hook and ask');
  }
  checkNames(given, ['ask', 'hook'], 'approve.');
  const { ask = 'changing', hook } = given;
  if (typeof hook !== 'function') {
    throw new TypeError('approve.hook must be a function: it asks the person');
  }
  if (ask !== 'changing' && ask !== 'always' && typeof ask !== 'function') {
    throw new TypeError("approve.ask must be 'changing', 'always' or a function");
  }
  return { ask: ask as Required<ApprovalOptions>['ask'], hook: hook as ApprovalHook };
}

const limitNames = ['timeoutMs', 'deadlineMs'] as const;
const callOptionNames: readonly (keyof CallOptions)[] = [...limitNames, 'whenAway'];

/** A copy, so that what was checked is what is used. */
function resolveCallOptions(given: unknown = {}): Readonly<CallOptions> {
  if (!isObject(given)) throw new TypeError('callOptions must be an object');
  checkNames(given, callOptionNames, 'callOptions.');
  const { whenAway } = given;
  checkWhenAway('callOptions.whenAway', whenAway);
  const resolved: CallOptions = whenAway === undefined ? {} : { whenAway };
  for (const name of limitNames) {
    const value = given[name];
    if (value === undefined) continue;
    if (typeof value !== 'number' || !(value > 0)) {
      throw new TypeError(`callOptions.${name} must be a number above 0`);
    }
    resolved[name] = value;
  }
  return resolved;
}

function positive(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) {
    throw new TypeError(`${name} must be a positive integer, not ${String(value)}`);
  }
  return value;
}
