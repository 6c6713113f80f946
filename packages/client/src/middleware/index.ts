export type { McpRequest, McpResponse, Middleware, Next } from '../connection/middleware.js';
