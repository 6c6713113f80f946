export { AgentStateError, createAgent } from './agent.js';
export type { Agent, SendOptions } from './agent.js';
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
  UsageEvent,
} from './events.js';
export type { AgentOptions, CallOptions, RequestExtras } from './options.js';
export type { UserBlock } from './user-content.js';
