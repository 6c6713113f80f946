import type { Tool } from '@modelcontextprotocol/client';
import { KnownTools } from '../connection/known-tools.js';
import { OutputSchemas } from './output-schemas.js';

/**
 * What was learned when the tools were listed. It outlives the connection on which they were, and
 * goes for every connection to the same server.
 */
export class Learned {
  /** Stands for the client or the pool to which it belongs. */
  readonly client: object = Object.freeze({});
  /** Which tools may be called twice. */
  readonly tools: KnownTools = new KnownTools();
  /** What they promised to answer with. */
  readonly outputSchemas: OutputSchemas = new OutputSchemas();
  /** The tools that want arguments in headers, for what stands before the server. */
  mirrored: ReadonlyMap<string, Tool> = new Map();
}
