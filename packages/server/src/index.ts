export { mcpPlugin } from './plugin.js';
export { serve } from './serve.js';
export type { ServeOptions, Serving } from './serve.js';
export type {
  McpPluginOptions,
  ServableServer,
  ServerFactory,
  SessionContext,
  SseOptions,
} from './options.js';
