export type { McpRequest, McpResponse, Middleware, Next, RequestRoute } from './contract.js';
export { apiKey, type ApiKeyOptions } from './api-key.js';
export { basic } from './basic.js';
export { bearer, type TokenSource } from './bearer.js';
export {
  builtIns,
  byName,
  type MiddlewareFactory,
  type MiddlewareName,
  type ByNameOptions,
} from './by-name.js';
export { cache, type CacheOptions, type CacheStats, type ToolCache } from './cache.js';
export { logging, type Logger, type LoggingOptions, type LogLevel } from './logging.js';
export {
  logEvents,
  type LoggedClient,
  type LoggedGroup,
  type LoggedPool,
} from '../telemetry/log-events.js';
export type { Outcome } from './outcome.js';
export { rateLimit, type RateLimitOptions } from './rate-limit.js';
export { requestId, type RequestIdOptions } from './request-id.js';
export { retry, type RetryCallOptions } from './retry.js';
export { timeout, type TimeoutOptions } from './timeout.js';
export type { Rate } from './token-bucket.js';
export {
  tokenRefresh,
  type Token,
  type TokenContext,
  type TokenRefreshOptions,
} from './token-refresh.js';
