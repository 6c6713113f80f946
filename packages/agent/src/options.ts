import Anthropic from '@anthropic-ai/sdk';
import type { ToolSource } from '@longwire/client';
import { isObject } from '@longwire/client/internal';
import type { ApprovalHook, ApprovalOptions } from './approval.js';
import { resolveCallOptions, type CallOptions, type CallOptionsFor } from './call-options.js';
import { checkNames } from './option-names.js';
import { givenMessages } from './given-messages.js';
import { givenTasks, type PendingTask } from './pending-task.js';

/** Parameters of the Messages API that the agent passes on unchanged. */
export type RequestExtras = Partial<
  Pick<
    Anthropic.MessageStreamParams,
    'metadata' | 'output_config' | 'service_tier' | 'stop_sequences' | 'thinking'
  >
>;

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
   * Passed to every `callTool` and `listTools` of the sources, or a function that is asked for each of
   * them, in the asynchronous context of `send`. A call that times out, or whose function throws, becomes
   * a result that tells Claude so; such a list becomes `source-failed`. The turn continues. Default: the
   * sources' own limits, and nobody's principal.
   */
  callOptions?: CallOptions | CallOptionsFor;
  /**
   * An earlier conversation: {@link Agent.messages} of another agent, also after a round trip through
   * JSON. Tool names keep their meaning if the clients are the same. Default: none.
   */
  messages?: readonly Anthropic.MessageParam[];
  /**
   * Tasks of calls in `messages`: {@link Agent.tasks} of the same agent at the same moment. The next `send`
   * or `resume` waits for their results. Default: none.
   */
  tasks?: readonly PendingTask[];
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
  callOptions: CallOptionsFor;
  messages: readonly Anthropic.MessageParam[];
  tasks: readonly PendingTask[];
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
  const messages = givenMessages(options.messages ?? []);
  const system = options.system?.trim() === '' ? undefined : options.system;
  return {
    anthropic: options.anthropic ?? new Anthropic(),
    model: options.model || defaultModel(),
    maxTokens: positive('maxTokens', options.maxTokens ?? defaults.maxTokens),
    system,
    maxRounds: positive('maxRounds', options.maxRounds ?? defaults.maxRounds),
    maxResultChars: positive('maxResultChars', options.maxResultChars ?? defaults.maxResultChars),
    approve: resolveApproval(options.approve),
    callOptions: resolveCallOptions(options.callOptions, { sources: options.clients }),
    messages,
    tasks: givenTasks(options.tasks ?? [], messages),
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
  'tasks',
  'request',
];

const requestNames: readonly (keyof RequestExtras)[] = [
  'metadata',
  'output_config',
  'service_tier',
  'stop_sequences',
  'thinking',
];

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

function positive(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) {
    throw new TypeError(`${name} must be a positive integer, not ${String(value)}`);
  }
  return value;
}
