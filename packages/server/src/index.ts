export {
  apiKeys,
  hashApiKey,
  type ApiKey,
  type ApiKeyAuthenticator,
  type ApiKeysOptions,
} from './auth/api-keys.js';
export type { AuthenticatedMount, Authenticate, Authenticator } from './auth/authenticator.js';
export {
  exchangeToken,
  type ExchangeTokenOptions,
  type ExchangedToken,
} from './auth/exchange-token.js';
export { jwt } from './auth/jwt.js';
export type { JwtClaims, JwtOptions } from './auth/jwt-options.js';
export { MemoryRevocationStore, type RevocationStore } from './auth/revocation-store.js';
export type { Call, CallGate, CallOutcome, TransportName } from './calls/call.js';
export type { EventLog, LogExcerpt, LoggedEvent } from './events/event-log.js';
export { MemoryEventLog, type EventLogOptions } from './events/memory-event-log.js';
export type { CorsOptions } from './guard/cors.js';
export type { GuardOptions } from './guard/guard-options.js';
export type { LimitOptions } from './limits/limits.js';
export { MemoryRateStore } from './limits/memory-rate-store.js';
export { MemoryWorkQueue } from './limits/memory-work-queue.js';
export type { QueueOptions, QueuesOptions } from './limits/queues.js';
export type { RateLimit, RateStore, RateTaken } from './limits/rate-store.js';
export type { RateOptions } from './limits/rates.js';
export type { ShedOptions } from './limits/shed.js';
export type { ConnectionOptions } from './limits/slow-clients.js';
export type {
  CallWorkers,
  NoSlot,
  QueueLimits,
  SlotRequest,
  WorkQueue,
  WorkerAnswer,
  WorkerCall,
  WorkerCaller,
} from './limits/work-queue.js';
export type { CallRecord } from './operate/call-record.js';
export type {
  KitObserver,
  KitStats,
  McpMount,
  ObservedNotification,
  ObservedSession,
  SessionEnd,
} from './operate/observer.js';
export type {
  AuditOptions,
  MetricsOptions,
  OperateOptions,
  StopOptions,
  TracingOptions,
} from './operate/options.js';
export type { Stopper } from './operate/stop.js';
export type {
  KitOptions,
  McpOptions,
  ServableServer,
  ServerContext,
  ServerFactory,
} from './options.js';
export type { MountPage, MountWatch, WatchedMount } from './page/mount-page.js';
export type { PageNodes } from './page/page-nodes.js';
export { mcp, stopperOf } from './plugin.js';
export { ANONYMOUS, type MaybePromise, type Principal } from './principal.js';
export { RefusedError, type Refusal } from './refusal.js';
export { serve, type ServeOptions, type Serving } from './serve.js';
export {
  MemorySessionStore,
  type SessionRecord,
  type SessionStore,
} from './sessions/session-store.js';
export type { Stores } from './stores.js';
export { MemoryTaskStore } from './tasks/memory-task-store.js';
export { runWorkerCall, type WorkerCallOptions } from './tasks/worker-call.js';
export type { TaskStoreLimits } from './tasks/task-index.js';
export type { TaskOptions, TasksOptions, TaskSupport } from './tasks/task-options.js';
export type {
  NewTask,
  TaskChanges,
  TaskClient,
  TaskOrigin,
  TaskPage,
  TaskRecord,
  TaskStatus,
  TaskStore,
} from './tasks/task-store.js';
export {
  ClusterAwayError,
  isClusterAway,
  isSessionLost,
  SessionLostError,
  type BegunRequest,
  type Cluster,
  type ClusterNode,
  type EndedRequest,
  type Joining,
  type Located,
  type NodeHandlers,
  type NodeMessage,
  type SealedSession,
  type SessionSealing,
  type TakenSession,
} from './cluster/cluster.js';
export type { ClusterStats } from './cluster/joined-cluster.js';
