import type {
  CallToolResult,
  Progress,
  TaskHandle,
  ToolResultError,
  Waiting,
} from '@longwire/client';

/**
 * Why a turn ended:
 *
 * - `end-turn`: Claude has answered.
 * - `stop-sequence`: one of `request.stop_sequences` was written.
 * - `max-tokens`: the answer was cut at `maxTokens`. Tool calls it held were not run.
 * - `context-window`: the answer was cut because the model's context is full. Likewise.
 * - `max-rounds`: Claude asked for tools once more than `maxRounds` allows. They were not run.
 * - `refusal`: Claude declined. The declined message is not kept in the conversation.
 * - `aborted`: the signal was aborted.
 */
export type DoneReason =
  | 'end-turn'
  | 'stop-sequence'
  | 'max-tokens'
  | 'context-window'
  | 'max-rounds'
  | 'refusal'
  | 'aborted';

/** Tokens as the API counts them. Input that was read from or written to the cache counts only there. */
export interface TokenUsage {
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
}

/** Which call of a tool an event is about. */
export interface ToolCallRef {
  /** The id that Claude gave the call, unique within the conversation. */
  id: string;
  /** The name of the source that has the tool; empty if Claude named an unknown tool. */
  server: string;
  /** The tool's name on its server (not the one that Claude was shown). */
  tool: string;
}

/** A piece of Claude's answer, in order. */
export interface TextEvent {
  type: 'text';
  text: string;
}

/** A piece of Claude's thinking; only when the model thinks and shows it. */
export interface ThinkingEvent {
  type: 'thinking';
  text: string;
}

/**
 * Claude asks for a call. One `tool-result` or `tool-refused` with this id follows, unless the turn
 * ends before the call is made.
 */
export interface ToolCallEvent extends ToolCallRef {
  type: 'tool-call';
  arguments: Record<string, unknown>;
}

/** A progress notification of a call in flight. */
export interface ToolProgressEvent extends ToolCallRef {
  type: 'tool-progress';
  progress: Progress;
}

/** A call begins to wait for its server, which is away. Its result follows once the server is back. */
export interface ToolWaitingEvent extends ToolCallRef {
  type: 'tool-waiting';
  /** Which server, why and since when it is away, and when it is tried again. */
  waiting: Waiting;
}

/**
 * The server has made a task of a call: its answer is kept there. Its result follows, once the task has
 * ended. `agent.tasks` has it now, so that a program which keeps `agent.messages` and `agent.tasks` can
 * resume the turn in another process. Said again of a task that is taken up.
 */
export interface ToolTaskEvent extends ToolCallRef {
  type: 'tool-task';
  task: TaskHandle;
}

/** A call has settled: the result of the tool, or why there is none. */
export type ToolResultEvent =
  | (ToolCallRef & {
      type: 'tool-result';
      /** Whether the tool itself reported an error. */
      isError: boolean;
      /** What the server sent, whole, whatever of it Claude was shown. */
      result: CallToolResult;
      /** What is wrong with a result that does not match its schema, or is no object. */
      error?: ToolResultError | undefined;
    })
  | (ToolCallRef & {
      type: 'tool-result';
      isError: true;
      result?: undefined;
      /** What the source threw: a `LongwireError`, unless the call never got that far. */
      error: Error;
    });

/** The approval hook declined a call. Claude is told, and continues. */
export interface ToolRefusedEvent extends ToolCallRef {
  type: 'tool-refused';
  reason: string | undefined;
}

/** What one response of the API cost. */
export interface UsageEvent {
  type: 'usage';
  usage: TokenUsage;
}

/**
 * A source could not list its tools, or not in time. The turn continues with the other sources and
 * with what this one listed before; a late list is used when it arrives. Reported once, until the
 * source lists its tools again.
 */
export interface SourceFailedEvent {
  type: 'source-failed';
  server: string;
  error: Error;
}

/** A tool is not offered to Claude, because the API rejects its schema. Reported once. */
export interface ToolOmittedEvent {
  type: 'tool-omitted';
  server: string;
  tool: string;
  reason: string;
}

/**
 * The API rejected a part of the conversation. A note replaces it, and the turn continues.
 */
export interface ContentOmittedEvent {
  type: 'content-omitted';
  /** What was removed, for a person: `an image in the result of read_file`. */
  what: string;
  /** The API's own words. */
  reason: string;
}

/** The turn is over; always the last event, unless the API failed and the iterator threw. */
export interface DoneEvent {
  type: 'done';
  reason: DoneReason;
  /** The text of the final answer: what Claude wrote after the last tool results. May be empty. */
  text: string;
  /** The sum over all responses of the turn. */
  usage: TokenUsage;
  /** Why Claude declined, for a person, if the API says. */
  explanation?: string;
}

/** What happens in a turn, as it happens. */
export type AgentEvent =
  | TextEvent
  | ThinkingEvent
  | ToolCallEvent
  | ToolProgressEvent
  | ToolWaitingEvent
  | ToolTaskEvent
  | ToolResultEvent
  | ToolRefusedEvent
  | UsageEvent
  | SourceFailedEvent
  | ToolOmittedEvent
  | ContentOmittedEvent
  | DoneEvent;
