import { schemaProblems } from '@longwire/client/internal';
import * as z from 'zod';
import { WorkflowError } from './errors.js';
import { written, type SourceMap } from './source-map.js';

/** What a call is written with. */
interface CallSource {
  id?: string | undefined;
  where?: string | undefined;
  call?: string | undefined;
  with?: string | Record<string, unknown> | undefined;
  retry?: { maxAttempts: number; delayMs?: number | undefined } | undefined;
  idempotent?: boolean | undefined;
  as?: string | undefined;
  timeoutMs?: number | undefined;
}

/** A step as it is written. */
export interface StepSource extends CallSource {
  parallel?: StepSource[] | undefined;
  then?: StepSource[] | undefined;
}

/** A trigger as it is written. */
export interface TriggerSource extends StepSource {
  on?: string | undefined;
  event?: string | undefined;
  from?: string | undefined;
  key?: string | undefined;
  debounceMs?: number | undefined;
  dedupe?: true | { withinMs: number } | undefined;
  tool?: string | undefined;
  responseTool?: string | undefined;
  catch?: StepSource[] | undefined;
}

/** A workflow file as it is written. */
export interface FileSource {
  name?: string | undefined;
  concurrency?: number | undefined;
  maxChain?: number | undefined;
  as?: string | undefined;
  servers?: Record<string, string | CommandSource> | undefined;
  triggers: TriggerSource[];
}

/** The command of a server as it is written. */
interface CommandSource {
  command: string;
  args?: string[] | undefined;
  env?: Record<string, string> | undefined;
  cwd?: string | undefined;
}

const text = z.string().min(1, { error: 'must be a text with something in it' });
const positive = z.number().int().positive({ error: 'must be a whole number above 0' });
const durationMs = positive.max(2_147_483_647, { error: 'must be under 24 days' });
const many = positive.or(z.literal(Infinity));

const retry = z.strictObject({ maxAttempts: positive.max(100), delayMs: durationMs.optional() });

const callFields = {
  id: text.optional(),
  where: text.optional(),
  call: text.optional(),
  with: z.union([z.string(), z.record(z.string(), z.unknown())], {
    error: 'must be a map of arguments, or an expression that gives one',
  }),
  retry: retry.optional(),
  idempotent: z.boolean().optional(),
  as: text.optional(),
  timeoutMs: durationMs.optional(),
};

const step = z.strictObject({
  ...callFields,
  with: callFields.with.optional(),
  get parallel(): z.ZodOptional<z.ZodArray<z.ZodType<StepSource>>> {
    return z.array(step).min(1).optional();
  },
  // oxlint-disable-next-line unicorn/no-thenable -- the word of the file; nothing awaits a schema
  get then(): z.ZodOptional<z.ZodArray<z.ZodType<StepSource>>> {
    return z.array(step).optional();
  },
});

const trigger = z.strictObject({
  ...callFields,
  with: callFields.with.optional(),
  on: text.optional(),
  event: text.optional(),
  from: text.optional(),
  key: text.optional(),
  debounceMs: durationMs.optional(),
  dedupe: z
    .union([z.literal(true), z.strictObject({ withinMs: positive })], {
      error: 'must be true, or { withinMs: … }',
    })
    .optional(),
  tool: text.optional(),
  responseTool: text.optional(),
  parallel: z.array(step).min(1).optional(),
  // oxlint-disable-next-line unicorn/no-thenable -- as above
  then: z.array(step).optional(),
  catch: z.array(step).optional(),
});

const command = z.strictObject({
  command: text,
  args: z.array(z.string()).optional(),
  env: z.record(z.string(), z.string()).optional(),
  cwd: text.optional(),
});

const file = z.strictObject({
  name: text.optional(),
  concurrency: positive.max(1000).optional(),
  maxChain: many.optional(),
  as: text.optional(),
  servers: z
    .record(
      z.string().regex(/^[\w.-]+$/, { error: 'a server’s name is letters, digits, _ . and -' }),
      z.union([text, command], { error: 'must be a URL, or { command, args, env, cwd }' }),
    )
    .optional(),
  triggers: z.array(trigger).min(1, { error: 'must be a list of at least one trigger' }),
});

/**
 * Checks the shape of a workflow file.
 *
 * @throws WorkflowError with all that is wrong and where; `name` is what the file is called.
 */
export function checkShape(value: unknown, source: SourceMap, name: string): FileSource {
  const { success, data, error } = file.safeParse(value);
  if (success) return data;
  const found = schemaProblems(error.issues, {
    schema: file,
    valueAt: (path) => source.valueAt(path),
    placeOf: (path) => source.at(path),
    placeOfKey: (path) => source.atKey(path),
    nameOf: (path) => written(path) || 'the file',
  });
  throw new WorkflowError(
    name,
    found.map(({ place, message }) => ({ ...place, message })),
  );
}

/** The JSON Schema of a workflow file, for editors. */
export function workflowSchema(): Record<string, unknown> {
  return z.toJSONSchema(file, { io: 'input', unrepresentable: 'any' });
}
