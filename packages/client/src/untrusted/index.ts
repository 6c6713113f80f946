/**
 * What runs over patterns, schemas and texts that a stranger wrote, within bounds of time and memory.
 * For the packages of Longwire.
 */
export { BoundedWorker, type BoundedWorkerOptions, type JobOutcome } from './bounded-worker.js';
export { createGlob, type GlobOptions } from './glob.js';
export {
  parseExactJson,
  toJson,
  withDigits,
  withIntegers,
  withMarks,
} from '../channels/exact-json.js';
export { DEFAULT_JSON_BOUNDS, parseJson, type JsonBounds } from '../channels/json.js';
export { sizeOf, type SizeBounds } from './json-size.js';
export { JsonSchema, type SchemaVerdict } from './json-schema.js';
export { readSentData, type SentData } from './sent-data.js';
