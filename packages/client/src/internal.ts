/**
 * What the other packages of Longwire share with this one. It changes with any version, and no program
 * should import it.
 */
export { CERTAINTY_TEXT } from './certainty-text.js';
export { schemaProblems } from './config/schema-problems.js';
export { networkOptionsOf, readTlsFiles, type TlsFiles } from './config/network.js';
export { EventDecoder, type StreamEvent } from './http/event-decoder.js';
export { isReservedHeader } from './http/headers.js';
export { networkAdvice, networkReason } from './http/network-error.js';
export { networkFetch } from './http/network-fetch.js';
export { ProxyRules, type Proxy, type UnusableProxy } from './http/proxy.js';
export { ProxyError, proxyRefused } from './http/proxy-error.js';
export { openTunnel } from './http/tunnel.js';
export { resolveNetwork, type Network } from './http/network.js';
export { certificateNames } from './http/tls-error.js';
export {
  assignPrefixes,
  assignToolNames,
  ToolNames,
  type NamedTool,
  type ToolsToName,
} from './group/tool-names.js';
export { keepsTask } from './client/call.js';
export { checkWhenAway } from './client/options.js';
export { sourceAs } from './client/source-as.js';
export { trustedHintsOf } from './client/types.js';
export { LOG_LEVELS } from './log-levels.js';
export { redaction, type Show } from './middleware/redaction.js';
export { didYouMean, nameList, nearest, shortName } from './nearest.js';
export { isCredentialName, isReplacedInData, KnownSecrets, MASK } from './secrets/known-secrets.js';
export type { SecretOptions } from './secrets/known-secrets.js';
export { FileReadError, readTextFile } from './text-file.js';
export { VERSION } from './version.js';

// Run over patterns, schemas and texts that a stranger wrote, within bounds of time and memory.
export {
  BoundedWorker,
  type BoundedWorkerOptions,
  type JobOutcome,
} from './untrusted/bounded-worker.js';
export { createGlob, type GlobOptions } from './untrusted/glob.js';
export {
  parseExactJson,
  toJson,
  withDigits,
  withIntegers,
  withMarks,
} from './untrusted/exact-json.js';
export { DEFAULT_JSON_BOUNDS, parseJson, type JsonBounds } from './untrusted/json.js';
export { sizeOf, type SizeBounds } from './untrusted/json-size.js';
export { isObject } from './untrusted/is-object.js';
export { JsonSchema, type SchemaCheck } from './untrusted/json-schema.js';
export { readSentData, type SentData } from './untrusted/sent-data.js';
