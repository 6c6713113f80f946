import { Ajv } from '@modelcontextprotocol/client/validators/ajv';
import { withNumbers } from './exact-json.js';
import { BoundedWorker } from './bounded-worker.js';
import { sizeOf } from './json-size.js';
import { plainSchema, type PlainSchema, type Schema } from './plain-schema.js';
import { SCHEMA_SCRIPT, type SchemaAnswer, type SchemaJob } from './schema-script.js';

/** Whether a value fits a schema. */
export type SchemaCheck =
  | { kind: 'valid' }
  /** `path` is a JSON Pointer without its first `/`: empty for the whole value. */
  | { kind: 'invalid'; path: string; message: string }
  /** The schema cannot be used, or not in time. */
  | { kind: 'unchecked'; reason: string };

/** How many steps are taken in place: about 50 ms. */
const MAX_STEPS = 10_000_000;

/** How deep a value may be that is checked in place. */
const MAX_DEPTH = 1000;

/** What is sent to the thread, so that cloning it takes some ten milliseconds. */
const SCHEMA_BOUNDS = { maxNodes: 20_000, maxDepth: 200 } as const;
const VALUE_BOUNDS = { maxNodes: 100_000, maxDepth: 500 } as const;

/** How long compiling a schema and checking a value may take together. */
const LIMIT_MS = 1000;

const MAX_MEMORY_MB = 256;

/** The process has one: it starts with the first schema that needs it. */
const worker = new BoundedWorker<SchemaJob, SchemaAnswer>({
  script: SCHEMA_SCRIPT,
  importMetaUrl: import.meta.url,
  limitMs: LIMIT_MS,
  maxMemoryMb: MAX_MEMORY_MB,
});

let lastId = 0;

/**
 * A JSON Schema that a server sent: 2020-12 (the default), 2019-09, draft-07, draft-06 or draft-04 by its
 * `$schema`. `format` is not checked. Neither the schema nor a value can block the process: a schema
 * that is cheap by its form is checked in place, any other in a thread, for a second at most. What cannot be checked so is not checked, and the result says why. Nothing is shared with
 * other schemas, whatever their `$id`.
 */
export class JsonSchema {
  readonly #id = ++lastId;
  readonly #schema: unknown;
  readonly #plain: PlainSchema | undefined;
  #compiled: Compiled | undefined;
  /** The thread that has compiled it. */
  #thread = 0;
  /** Why it is not tried again. */
  #unusable: string | undefined;

  constructor(schema: unknown) {
    this.#schema = schema;
    this.#plain = plainSchema(schema);
    if (this.#plain === undefined && sizeOf(schema, SCHEMA_BOUNDS) === Infinity) {
      this.#unusable = 'the schema is too large';
    }
  }

  /** Checks a JSON value: at once, or in the thread. Never throws and never rejects. */
  check(value: unknown): SchemaCheck | Promise<SchemaCheck> {
    return this.checkInPlace(value) ?? this.#checkInThread(value);
  }

  /** Checks a JSON value at once, or says `undefined` where that could take too long. */
  checkInPlace(value: unknown): SchemaCheck | undefined {
    if (this.#unusable !== undefined) return { kind: 'unchecked', reason: this.#unusable };
    const plain = this.#plain;
    if (plain === undefined) return undefined;
    const maxNodes = Math.floor(MAX_STEPS / plain.size);
    if (sizeOf(value, { maxNodes, maxDepth: MAX_DEPTH }) === Infinity) return undefined;
    try {
      const compiled = (this.#compiled ??= compile(plain.schema));
      // It knows numbers alone: a larger integer is checked as the number that is next to it.
      if (compiled(value)) return { kind: 'valid' };
      const numbers = withNumbers(value);
      if (numbers !== value && compiled(numbers)) return { kind: 'valid' };
      const { instancePath = '', message = 'does not fit' } = compiled.errors?.[0] ?? {};
      return { kind: 'invalid', path: instancePath.slice(1), message };
    } catch (error) {
      this.#unusable = error instanceof Error ? error.message : String(error);
      return { kind: 'unchecked', reason: this.#unusable };
    }
  }

  async #checkInThread(value: unknown): Promise<SchemaCheck> {
    if (sizeOf(value, VALUE_BOUNDS) === Infinity) {
      return { kind: 'unchecked', reason: 'the value is too large for it' };
    }
    const outcome = await worker.run((thread) => {
      const isKnown = this.#thread === thread;
      this.#thread = thread;
      return { id: this.#id, value: withNumbers(value), ...(!isKnown && { schema: this.#schema }) };
    });
    switch (outcome.kind) {
      case 'answered':
        if (outcome.answer.kind === 'unknown') {
          this.#thread = 0;
          return this.#checkInThread(value);
        }
        if (outcome.answer.kind === 'unusable') {
          return this.#disable(outcome.answer.reason);
        }
        return outcome.answer;
      case 'stopped':
        return this.#disable(outcome.message);
      // Another value may fare better.
      case 'failed':
      case 'refused':
        return { kind: 'unchecked', reason: outcome.message };
    }
  }

  #disable(reason: string): SchemaCheck {
    this.#unusable = reason;
    return { kind: 'unchecked', reason };
  }
}

type Compiled = ReturnType<InstanceType<typeof Ajv>['compile']>;

/** An Ajv of its own for each schema: names in it are not shared. */
function compile(schema: Schema): Compiled {
  return new Ajv({
    meta: false,
    strict: false,
    validateSchema: false,
    ownProperties: true,
    logger: false,
  }).compile(schema);
}
