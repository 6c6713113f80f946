import { z } from 'zod';
import type { ToolAnnotations } from '@modelcontextprotocol/client';
import type { Limits } from '../channels/channel.js';
import type { HeartbeatOptions, RetryOptions, Timeouts } from '../connection/options.js';
import { PROTOCOL_VERSIONS, type Protocol } from '../target/protocol-version.js';
import type { ToolsConfig } from './types.js';

/** A server as `longwire.json` has it. */
export interface WrittenServer {
  url?: string;
  command?: string;
  args?: string[];
  env?: Record<string, string>;
  cwd?: string;
  headers?: Record<string, string>;
  timeouts?: Timeouts;
  retry?: RetryOptions;
  heartbeat?: HeartbeatOptions;
  limits?: Limits;
  cookies?: boolean;
  keepAlive?: boolean;
  transport?: 'sse' | 'streamable-http' | 'stdio' | 'tool-events';
  protocol?: Protocol;
  tools?: ToolsConfig;
  trusted?: boolean;
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
    .describe('Patterns of the tools to offer, as "read_*"; an empty list is none. Default: all.')
    .exactOptional(),
  exclude: patterns.describe('Patterns of the tools to leave out. Default: none.').exactOptional(),
  override: z
    .record(
      text,
      z.strictObject({
        name: text.describe('What the tool is called here.').exactOptional(),
        description: text.describe('What the tool is said to do.').exactOptional(),
        annotations: annotations.exactOptional(),
      }),
    )
    .describe('What is told of tools, by their name on the server.')
    .exactOptional(),
});

const middleware = z.union(
  [
    text.min(1),
    z.looseObject({ name: text.min(1).describe('Its name; the rest are its options.') }),
  ],
  { error: 'expected the name of a middleware, or an object with its "name" and its options' },
);

const server: z.ZodType<WrittenServer> = z
  .strictObject({
    url: text
      .describe('Where the server is: its origin, its MCP endpoint or its /sse URL.')
      .exactOptional(),
    command: text
      .min(1)
      .describe('The program that is the server, spoken to by stdio.')
      .exactOptional(),
    args: strings.describe('The arguments of the command.').exactOptional(),
    env: record.describe('Environment variables of the command.').exactOptional(),
    cwd: text
      .describe('Where the command runs; a path from the directory of this file.')
      .exactOptional(),
    headers: record.describe('Headers of every request to the URL.').exactOptional(),
    timeouts: z
      .strictObject({
        connectMs: positive
          .describe(
            'How long connecting may take, in milliseconds. Default 30000, of a command 60000.',
          )
          .exactOptional(),
      })
      .exactOptional(),
    retry: z
      .strictObject({
        maxAttempts: z
          .int()
          .nonnegative()
          .describe('How often a lost connection is dialled again. Default 5.')
          .exactOptional(),
        firstDelayMs: positive
          .describe('The delay before the first dial, in milliseconds. Default 250.')
          .exactOptional(),
        maxDelayMs: positive
          .describe('The longest delay, in milliseconds. Default 30000.')
          .exactOptional(),
        firstConnect: flag
          .describe('Whether this goes for the very first dial, too. Default false.')
          .exactOptional(),
      })
      .describe('How a lost connection comes back.')
      .exactOptional(),
    heartbeat: z
      .strictObject({
        silenceMs: positive
          .describe('How long nothing may arrive until the server is asked. Default 30000.')
          .exactOptional(),
        timeoutMs: positive
          .describe('How long it may take to answer that, in milliseconds. Default 10000.')
          .exactOptional(),
      })
      .describe('How a connection that is dead without saying so is found out.')
      .exactOptional(),
    limits: z
      .strictObject({
        maxEventBytes: positive
          .describe('What one event may hold. Default 67108864.')
          .exactOptional(),
        maxInFlight: positive
          .describe('Requests waiting at a time. Default 10000.')
          .exactOptional(),
        maxJsonDepth: positive
          .max(1000)
          .describe('How deep one message may be nested. Default 200.')
          .exactOptional(),
        maxJsonValues: positive
          .describe('How many values one message may hold. Default 1000000.')
          .exactOptional(),
        maxListBytes: positive
          .describe('What a list may hold, all its pages together. Default 67108864.')
          .exactOptional(),
        maxListItems: positive
          .describe('How many entries a list may have. Default 100000.')
          .exactOptional(),
        maxListPages: positive
          .describe('How many pages a list may have. Default 1000.')
          .exactOptional(),
      })
      .exactOptional(),
    cookies: flag
      .describe('Whether cookies are kept and sent back, in memory. Default true.')
      .exactOptional(),
    keepAlive: flag
      .describe('Whether the connection stays open between calls. Default true.')
      .exactOptional(),
    transport: z
      .enum(['sse', 'streamable-http', 'stdio', 'tool-events'])
      .describe('Speak this and nothing else. Default: found out.')
      .exactOptional(),
    protocol: z
      .enum(['auto', ...PROTOCOL_VERSIONS])
      .describe('Speak this version of the protocol and no other. Default "auto": found out.')
      .exactOptional(),
    tools: tools
      .describe('Which tools there are, and how a group and chat tell of them.')
      .exactOptional(),
    trusted: flag
      .describe('Believe what the server says of its tools: chat asks less. Default false.')
      .exactOptional(),
    middleware: z
      .array(middleware)
      .describe('What stands around every request, by name; the first is outermost.')
      .exactOptional(),
    disabled: flag.describe('Leave this server out. Default false.').exactOptional(),
  })
  .describe('A server: its url, or the command that starts it.');

const file = z
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
      .describe('What is otherwise in development, staging, production: null takes a key away.')
      .exactOptional(),
  })
  .describe('The servers that Longwire knows by name. ${NAME} and ${NAME:-default} are variables.');

/** A server as other programs have it; what else is there is theirs. */
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

/** What is wrong with a value, by zod. */
export type Issue = z.core.$ZodIssue;

/** What is wrong with the value of a whole `longwire.json`. */
export function issuesOfFile(value: unknown): readonly Issue[] {
  return file.safeParse(value).error?.issues ?? [];
}

/** What is wrong with a server of another program's file. */
export function issuesOfForeign(value: unknown): readonly Issue[] {
  return foreignServer.safeParse(value).error?.issues ?? [];
}

/** A server of a `longwire.json` in which nothing is wrong. */
export function readServer(value: unknown): WrittenServer {
  return server.parse(value);
}

/** A server of another program's file in which nothing is wrong. */
export function readForeignServer(value: unknown): ForeignServer {
  return foreignServer.parse(value);
}

/** The keys that an object at a path of a `longwire.json` may have. */
export function knownKeys(path: readonly PropertyKey[]): string[] {
  let current: z.ZodType = file;
  for (const step of path) {
    const inner: z.ZodType | undefined =
      current instanceof z.ZodObject
        ? (current.shape as Record<string, z.ZodType>)[String(step)]
        : current instanceof z.ZodRecord
          ? (current.valueType as z.ZodType)
          : undefined;
    if (inner === undefined) return [];
    current = bare(inner);
  }
  return current instanceof z.ZodObject ? Object.keys(current.shape) : [];
}

/** The JSON Schema of `longwire.json`, for editors. */
export function configJsonSchema(): Record<string, unknown> {
  return { title: 'longwire.json', ...z.toJSONSchema(file, { io: 'input' }) };
}

/** The schema with everything optional, and `null` for what is to be taken away. */
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
