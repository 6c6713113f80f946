/** The tools of many servers, behind the interface of one client. */
export { createGroup } from './group.js';
export type { Group } from './contract.js';
export type { BreakerOptions, BreakerState, BreakerStatus } from '../health/breaker.js';
export {
  healthHandler,
  type HealthHandler,
  type HealthHandlerOptions,
  type Readyz,
  type ServerReadiness,
} from './health-handler.js';
export type { GroupEventsOptions, GroupEventStream } from './event-queue.js';
export {
  createMonitor,
  type HealthChange,
  type Monitor,
  type MonitorEvents,
  type MonitorOptions,
} from './monitor.js';
export type {
  ServerByClient,
  GroupEvent,
  GroupEvents,
  GroupOptions,
  GroupServer,
  GroupServers,
  ServerByTarget,
  ServerSettings,
  ServerStatus,
  ToolOverride,
  ToolSelection,
} from './types.js';
