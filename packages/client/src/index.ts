export {
  connect,
  createClient,
  createTransport,
  type LongwireTransport,
} from './client/connect.js';
export type { LongwireClient, ServerSource, TypedToolSource } from './client/contract.js';
export type { OnceOptions } from './client/next-event.js';
export type { TaskState, TaskStatus } from './tasks/snapshot.js';
export type { ToolHandle } from './client/tool-handle.js';
export { dataOf, textOf, type ResultWithData } from './client/result-data.js';
export type { StandardSchema } from './client/standard-schema.js';
export type { AnyTools, ToolResult, ToolType, ToolTypes } from './client/tool-types.js';
export type { ToolStreamEvent, ToolStreamOptions } from './client/tool-stream.js';
export type {
  CallToolOptions,
  CheckedCallOptions,
  ClientEvents,
  ClientOptions,
  OperationOptions,
  ServerNotification,
  ServerRequestContext,
  ServerRequestHandlers,
  TaskHandle,
  ToolProgress,
  ToolSource,
  Waiting,
  WhenAway,
} from './client/types.js';
export type { CloseOptions, CutCall } from './client/under-way.js';
export type {
  McpRequest,
  McpResponse,
  Middleware,
  Next,
  RequestRoute,
} from './middleware/contract.js';
export type { ConnectionState, Readiness } from './connection/state.js';
export type { Health, HealthOptions } from './health/health.js';
export type { ToolLatency } from './health/latencies.js';
export type { ClientStats } from './health/stats.js';
export { PROTOCOL_VERSIONS, type Protocol, type ProtocolVersion } from './protocol-version.js';
export type { CommandTarget, MountableServer, ServerTarget, TargetOption } from './dial/target.js';
export { toJson } from './untrusted/exact-json.js';
export {
  ConfigError,
  ConnectError,
  ConnectionLostError,
  ERROR_CODES,
  HttpStatusError,
  LongwireError,
  ServerError,
  ToolResultError,
  type Certainty,
  type ConfigProblem,
  type ErrorCode,
  type ErrorCodeMeaning,
  type LongwireErrorOptions,
  type ProbeResult,
} from './errors.js';

export type {
  OutgoingRequest,
  ChallengeDecision,
  ChannelOptions,
  DispatcherLike,
  HeadersOption,
  Limits,
} from './options/channel-options.js';
export type { Pem, ProxyOption, ProxyVariables, TlsOptions } from './options/network-options.js';
export type { TransportName } from './transport-name.js';
export type {
  PrincipalCredentials,
  PrincipalOption,
  PrincipalsOptions,
} from './options/principal-options.js';
export type {
  ConnectionOptions,
  HeartbeatOptions,
  RetryOptions,
  Timeouts,
} from './options/connection-options.js';
export type {
  WireEvent,
  WireExchange,
  WireMessage,
  WireObserver,
  WireOutput,
  WireProcess,
} from './options/wire-event.js';

// The types are the SDK's.
export type {
  CallToolResult,
  CompleteRequestParams,
  CompleteResult,
  ContentBlock,
  CreateMessageRequestParams,
  CreateMessageResult,
  ElicitRequestFormParams,
  ElicitRequestURLParams,
  ElicitResult,
  GetPromptResult,
  Implementation,
  LoggingLevel,
  LoggingMessageNotificationParams,
  Progress,
  Prompt,
  ReadResourceResult,
  Resource,
  ResourceTemplateType,
  Root,
  ServerCapabilities,
  Tool,
  ToolAnnotations,
} from '@modelcontextprotocol/client';
