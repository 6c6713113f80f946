// The types of the SDK need those of Node.
/// <reference types="node" preserve="true" />

// For programs.
export {
  connect,
  createClient,
  createTransport,
  type LongwireTransport,
} from './client/connect.js';
export { createPool } from './pool/create.js';
export type { LongwirePool } from './pool/pool.js';
export type { PoolOptions, PoolStatus, PoolTargetStatus } from './pool/types.js';
export type { LongwireClient } from './client/client.js';
export type { ToolHandle } from './client/tool-handle.js';
export type { ToolStreamEvent, ToolStreamOptions } from './client/tool-stream.js';
export type {
  CallToolOptions,
  ClientEvents,
  ClientOptions,
  OperationOptions,
  ServerNotification,
  ServerRequestHandlers,
  ToolSource,
} from './client/types.js';
export type {
  ConnectionOptions,
  HeartbeatOptions,
  RetryOptions,
  Timeouts,
} from './connection/options.js';
export type { McpRequest, McpResponse, Middleware, Next } from './connection/middleware.js';
export type { ConnectionState, Readiness } from './connection/state.js';
export { createGroup, type Group } from './group/group.js';
export type { GroupEventsOptions, GroupEventStream } from './group/event-feed.js';
export {
  monitor,
  type HealthChange,
  type Monitor,
  type MonitorEvents,
  type MonitorOptions,
} from './group/monitor.js';
export type {
  GivenServer,
  GroupEvent,
  GroupEvents,
  GroupOptions,
  GroupServer,
  GroupServers,
  ReachedServer,
  ServerSettings,
  ServerStatus,
  ToolOverride,
  ToolSelection,
} from './group/types.js';
export type { Health, HealthOptions } from './health/health.js';
export type { ToolLatency } from './health/latencies.js';
export type { ClientStats } from './health/stats.js';
export {
  PROTOCOL_VERSIONS,
  type Protocol,
  type ProtocolVersion,
} from './target/protocol-version.js';
export type {
  CommandTarget,
  MountableServer,
  ServerTarget,
  TargetOption,
} from './target/target.js';
export type {
  Attempt,
  ChallengeVerdict,
  ChannelOptions,
  Dialect,
  DispatcherLike,
  HeadersOption,
  Limits,
} from './channels/channel.js';
export { toJson } from './channels/exact-json.js';
export {
  ConfigError,
  ConnectError,
  ConnectionLostError,
  HttpStatusError,
  LongwireError,
  ServerError,
  ToolResultError,
  type Certainty,
  type ConfigProblem,
  type ErrorCode,
  type LongwireErrorOptions,
  type Tried,
} from './errors.js';

// The types are the SDK's.
export type {
  CallToolResult,
  CompleteRequestParams,
  CompleteResult,
  ContentBlock,
  CreateMessageRequestParams,
  CreateMessageResult,
  ElicitRequestParams,
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

// For the other packages of Longwire.
export { isReservedHeader } from './channels/headers.js';
export {
  assignPrefixes,
  assignToolNames,
  ToolNames,
  type NamedTool,
  type ToolsToName,
} from './group/tool-names.js';
export { trustedHintsOf } from './client/types.js';
export { LOG_LEVELS } from './log-levels.js';
export { didYouMean, nameList, nearest, shortName } from './nearest.js';
export { isCredentialName, isReplacedInData, KnownSecrets, MASK } from './secrets/known-secrets.js';
export type { SecretOptions } from './secrets/known-secrets.js';
export { FileReadError, readTextFile } from './text-file.js';
export { VERSION } from './version.js';
