import type { CallToolResult, StandardSchema, Tool } from '@longwire/client';
import { isObject, JsonSchema, toJson } from '@longwire/client/internal';
import type { FakeToolDefinition } from './fake-types.js';

/** What JSON Schema the schemas of libraries are asked for, where they can say it. */
interface SchemaWriter {
  readonly input?: (options: { target: string }) => unknown;
}

const ANY_OBJECT = { type: 'object' } as const;

/** A tool as it is listed. */
export function listed(name: string, definition: FakeToolDefinition): Tool {
  const { title, description, annotations, inputSchema, outputSchema, task } = definition;
  return {
    name,
    inputSchema: jsonSchemaOf(inputSchema),
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(annotations !== undefined && { annotations }),
    ...(task !== undefined && { execution: { taskSupport: task } }),
    ...(outputSchema !== undefined && { outputSchema: outputSchema as Tool['outputSchema'] }),
  } as Tool;
}

/** The arguments as their schema makes them, or what is wrong with them. */
export async function checkArguments(
  args: unknown,
  schema: FakeToolDefinition['inputSchema'],
): Promise<{ value: unknown } | { wrong: string }> {
  if (schema === undefined) return { value: args };
  if (!isStandard(schema)) {
    const checked = await new JsonSchema(schema).check(args);
    if (checked.kind === 'valid') return { value: args };
    if (checked.kind === 'unchecked') return { wrong: `its schema: ${checked.reason}` };
    return { wrong: `${checked.path} ${checked.message}`.trim() };
  }
  const outcome = await schema['~standard'].validate(args);
  if (outcome.issues === undefined) return { value: outcome.value };
  return { wrong: outcome.issues.map(({ message }) => message).join('; ') };
}

/** What a tool answered, as a result. */
export function resultOf(answer: unknown): CallToolResult {
  if (answer === undefined) return { content: [] };
  if (typeof answer === 'string') return said(answer);
  if (isObject(answer) && Array.isArray(answer['content'])) return answer as CallToolResult;
  const text = said(toJson(answer));
  return isObject(answer) ? { ...text, structuredContent: answer } : text;
}

/** A result that is an error. */
export function errorResult(text: string): CallToolResult {
  return { ...said(text), isError: true };
}

function said(text: string): CallToolResult {
  return { content: [{ type: 'text', text }] };
}

function jsonSchemaOf(schema: FakeToolDefinition['inputSchema']): Tool['inputSchema'] {
  if (schema === undefined) return ANY_OBJECT;
  if (!isStandard(schema)) return schema as Tool['inputSchema'];
  const { jsonSchema } = schema['~standard'] as { jsonSchema?: SchemaWriter };
  try {
    const written = jsonSchema?.input?.({ target: 'draft-2020-12' });
    if (isObject(written)) return written as Tool['inputSchema'];
  } catch {
    // It has what JSON Schema cannot say.
  }
  return ANY_OBJECT;
}

function isStandard(
  schema: StandardSchema | Readonly<Record<string, unknown>>,
): schema is StandardSchema {
  return '~standard' in schema;
}
