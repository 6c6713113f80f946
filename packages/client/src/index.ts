// For programs.
export { connect, createClient, createTransport } from './client/connect.js';
export type { LongwireClient } from './client/client.js';
export type { ToolHandle } from './client/tool-handle.js';
export type {
  CallToolOptions,
  ClientEvents,
  ClientOptions,
  OperationOptions,
  ServerNotification,
  ServerRequestHandlers,
  ToolSource,
} from './client/types.js';
export type { Connection } from './connection/connection.js';
export type { ConnectionOptions, Timeouts } from './connection/options.js';
export type { ConnectionState } from './connection/state.js';
export type {
  Attempt,
  ChallengeVerdict,
  ChannelOptions,
  Dialect,
  HeadersOption,
  Limits,
} from './channels/channel.js';
export {
  ConnectError,
  ConnectionLostError,
  HttpStatusError,
  LongwireError,
  ServerError,
  type Certainty,
  type ErrorCode,
  type LongwireErrorOptions,
} from './errors.js';

// For the other packages of Longwire.
export { VERSION } from './version.js';
