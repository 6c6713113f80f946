import { z } from 'zod';
import type { ToolAnnotations } from '@modelcontextprotocol/client';
import { CLIENT } from '../options/client-table.js';
import { description } from '../options/describe.js';
import type { AnyTable, Option } from '../options/option.js';
import type { SchemaIssue } from './schema-problems.js';
import type { FileOptions, ToolsConfig } from './types.js';

/** A server as `longwire.json` has it. */
export interface WrittenServer extends FileOptions {
  url?: string;
  command?: string;
  args?: string[];
  env?: Record<string, string>;
  cwd?: string;
  headers?: Record<string, string>;
  proxy?: string;
  ca?: string;
  cert?: string;
  key?: string;
  passphrase?: string;
  tools?: ToolsConfig;
  middleware?: (string | { name: string; [option: string]: unknown })[];
  disabled?: boolean;
}

/** A server as another program's file has it. */
export interface ForeignServer {
  type?: string;
  url?: string;
  serverUrl?: string;
  httpUrl?: string;
  command?: string;
  args?: string[];
  env?: Record<string, string | number | boolean | null>;
  envFile?: string;
  cwd?: string;
  headers?: Record<string, string>;
}

const text = z.string();
const strings = z.array(text);
const patterns = z.array(text.min(1));
const record = z.record(text, text);
const flag = z.boolean();
const positive = z.number().positive();

const annotations: z.ZodType<ToolAnnotations> = z.strictObject({
  title: text.exactOptional(),
  readOnlyHint: flag.exactOptional(),
  destructiveHint: flag.exactOptional(),
  idempotentHint: flag.exactOptional(),
  openWorldHint: flag.exactOptional(),
});

const tools = z.strictObject({
  include: patterns
    .describe(
      'Patterns of the tools to include, as "read_*"; an empty list includes none. Default: all.',
    )
    .exactOptional(),
  exclude: patterns.describe('Patterns of the tools to exclude. Default: none.').exactOptional(),
  override: z
    .record(
      text,
      z.strictObject({
        name: text.describe('What the tool is called here.').exactOptional(),
        description: text.describe('What the tool is said to do.').exactOptional(),
        annotations: annotations.exactOptional(),
      }),
    )
    .describe('What replaces the description of a tool, by the name of the tool on the server.')
    .exactOptional(),
});

const middleware = z.union(
  [
    text.min(1),
    z.looseObject({ name: text.min(1).describe('Its name; the rest are its options.') }),
  ],
  { error: 'expected the name of a middleware, or an object with its "name" and its options' },
);

const server = z
  .strictObject({
    url: text
      .describe('Where the server is: its origin, its MCP endpoint or its /sse URL.')
      .exactOptional(),
    command: text
      .min(1)
      .describe('The program that is the server; its transport is stdio.')
      .exactOptional(),
    args: strings.describe('The arguments of the command.').exactOptional(),
    env: record.describe('Environment variables of the command.').exactOptional(),
    cwd: text
      .describe('Where the command runs; a path from the directory of this file.')
      .exactOptional(),
    headers: record.describe('Headers of every request to the URL.').exactOptional(),
    proxy: text
      .min(1)
      .describe('The proxy to the URL: its address, "environment" or "none".')
      .exactOptional(),
    ca: text
      .min(1)
      .describe(
        'A file (PEM) of authorities that are trusted for the URL beside the usual ones; a path from the directory of this file.',
      )
      .exactOptional(),
    cert: text
      .min(1)
      .describe('A file (PEM) with the certificate by which the client identifies itself.')
      .exactOptional(),
    key: text.min(1).describe('A file (PEM) with the key of that certificate.').exactOptional(),
    passphrase: text
      .min(1)
      .describe('What that key is encrypted with: a variable, as "${NAME}".')
      .exactOptional(),
    ...optionSchemas(CLIENT),
    tools: tools
      .describe('Which tools there are, and how a group and chat describe them.')
      .exactOptional(),
    middleware: z
      .array(middleware)
      .describe('The middlewares of every request, by name; the first is outermost.')
      .exactOptional(),
    disabled: flag.describe('Whether this server is disabled. Default false.').exactOptional(),
  })
  .describe('A server: its url, or the command that starts it.');

/** The schema of `longwire.json`. */
export const fileSchema: z.ZodType = z
  .strictObject({
    $schema: text.describe('Where editors find this schema.').exactOptional(),
    servers: z.record(text, server).describe('The servers, by name.'),
    profiles: z
      .record(
        text,
        z.strictObject({
          servers: z
            .record(text, overlayOf(server))
            .describe('Laid over the servers of that name.'),
        }),
      )
      .describe('What differs in development, staging, production: null removes a key.')
      .exactOptional(),
  })
  .describe('The servers that Longwire knows by name. ${NAME} and ${NAME:-default} are variables.');

/** A server as other programs have it; other keys are theirs. */
const foreignServer = z.object({
  type: text.exactOptional(),
  url: text.exactOptional(),
  // Windsurf and Antigravity, and Gemini, which has `url` for SSE alone.
  serverUrl: text.exactOptional(),
  httpUrl: text.exactOptional(),
  command: text.exactOptional(),
  args: strings.exactOptional(),
  env: z.record(text, z.union([text, z.number(), flag, z.null()])).exactOptional(),
  envFile: text.exactOptional(),
  cwd: text.exactOptional(),
  headers: record.exactOptional(),
});

/** The keys of another program's server that are read as they are. */
export const FOREIGN_KEYS: readonly string[] = Object.keys(foreignServer.shape);

/** What is wrong with the value of a whole `longwire.json`. */
export function issuesOfFile(value: unknown): readonly SchemaIssue[] {
  return fileSchema.safeParse(value).error?.issues ?? [];
}

/** What is wrong with a server of another program's file. */
export function issuesOfForeign(value: unknown): readonly SchemaIssue[] {
  return foreignServer.safeParse(value).error?.issues ?? [];
}

/** A server of a `longwire.json` in which nothing is wrong. */
export function readServer(value: unknown): WrittenServer {
  return server.parse(value) as WrittenServer;
}

/** The options of a client that a server has. */
export function clientOptionsIn(server: WrittenServer): FileOptions {
  const options = Object.entries(server).filter(
    ([name]) => (CLIENT as AnyTable)[name]?.inFile === true,
  );
  return Object.fromEntries(options) as FileOptions;
}

/** A server of another program's file in which nothing is wrong. */
export function readForeignServer(value: unknown): ForeignServer {
  return foreignServer.parse(value);
}

/** The JSON Schema of `longwire.json`, for editors. */
export function configJsonSchema(): Record<string, unknown> {
  return { title: 'longwire.json', ...z.toJSONSchema(fileSchema, { io: 'input' }) };
}

/** Schemas of the options of a table that a file may have. */
function optionSchemas(table: AnyTable): Record<string, z.ZodType> {
  const inFile = Object.entries(table).filter(([, option]) => option.inFile === true);
  return Object.fromEntries(
    inFile.map(([name, option]) => [
      name,
      optionSchema(option).describe(description(option)).exactOptional(),
    ]),
  );
}

function optionSchema({
  kind,
  min = 0,
  max = Infinity,
  values = [],
  table = {},
}: Option): z.ZodType {
  switch (kind) {
    case 'duration':
    case 'bytes':
    case 'amount':
      return max === Infinity ? positive : positive.max(max);
    case 'count':
      return z.int().min(min);
    case 'whole':
      return z.int().positive();
    case 'flag':
      return flag;
    case 'text':
      return text.min(1);
    case 'texts':
      return patterns;
    case 'enum':
      // A server in this process has no place in a file.
      return z.enum(values.map(String).filter((value) => value !== 'in-memory'));
    case 'group':
      return z.strictObject(optionSchemas(table));
    default:
      throw new Error(`an option of kind ${kind} cannot be in a file`);
  }
}

/** The schema with everything optional, and `null` for what is to be removed. */
function overlayOf(schema: z.ZodType): z.ZodType {
  const inner = bare(schema);
  if (inner instanceof z.ZodObject) {
    const shape = Object.entries(inner.shape as Record<string, z.ZodType>).map(
      ([key, value]) => [key, overlayOf(value).exactOptional()] as const,
    );
    return z.strictObject(Object.fromEntries(shape)).nullable();
  }
  if (inner instanceof z.ZodRecord) {
    return z.record(text, overlayOf(inner.valueType as z.ZodType)).nullable();
  }
  return inner.nullable();
}

/** The schema without what says that a value may be missing. */
function bare(schema: z.ZodType): z.ZodType {
  const isWrapped =
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodExactOptional ||
    schema instanceof z.ZodNullable;
  return isWrapped ? bare(schema.unwrap() as z.ZodType) : schema;
}
