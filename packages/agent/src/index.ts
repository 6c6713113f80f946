export { AgentStateError, createAgent } from './agent.js';
export type { Agent, SaidMessage, SendOptions } from './agent.js';
export type {
  ApprovalDecision,
  ApprovalHook,
  ApprovalOptions,
  ApprovalRequest,
  ToolDefinition,
} from './approval.js';
export type {
  AgentEvent,
  ContentOmittedEvent,
  DoneEvent,
  DoneReason,
  SourceFailedEvent,
  TextEvent,
  ThinkingEvent,
  TokenUsage,
  ToolCallEvent,
  ToolCallRef,
  ToolOmittedEvent,
  ToolProgressEvent,
  ToolRefusedEvent,
  ToolResultEvent,
  ToolTaskEvent,
  ToolWaitingEvent,
  UsageEvent,
} from './events.js';
export type { CallOptions, CallOptionsFor, CallToPrepare } from './call-options.js';
export type { AgentOptions, RequestExtras } from './options.js';
export type { PendingTask } from './pending-task.js';
export { answerSampling } from './sampling.js';
export type { SamplingOptions } from './sampling.js';
export { blocksOf } from './tool-results.js';
export { addUsage, noUsage } from './usage.js';
export type { UserBlock } from './user-content.js';
