export { loadConfig, parseConfig, type ConfigOptions } from './config.js';
export { convertServer, variableOfInput } from './convert.js';
export { fromEnvironment, type EnvironmentConfig } from './environment.js';
export { inputVariable, type ConfigInput } from './inputs.js';
export { inheritHeaders, type IncomingHeaders } from './inherit-headers.js';
export { clientOptionsOf, type MiddlewareRegistry } from './middleware.js';
export { configJsonSchema } from './schema.js';
export type {
  Config,
  MiddlewareConfig,
  NetworkConfig,
  ServerConfig,
  ToolsConfig,
} from './types.js';
export { ConfigError, type ConfigProblem } from '../errors.js';
