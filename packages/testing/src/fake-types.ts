import type {
  AnyTools,
  CallToolResult,
  GetPromptResult,
  LongwireClient,
  LoggingMessageNotificationParams,
  Progress,
  ServerNotification,
  StandardSchema,
  ToolAnnotations,
  ToolType,
  ToolTypes,
} from '@longwire/client';

/** What a tool of a fake client is told beside its arguments. */
export interface FakeToolContext {
  /** Aborted when the call ends early. */
  readonly signal: AbortSignal;
  /** For whom the call is made: `client.as(principal)`. `undefined`: for nobody in particular. */
  readonly principal: string | undefined;
  /** Tells the caller how far the call is. Of a task it is what its status says. */
  onProgress(progress: Progress): void;
  /**
   * Asks the caller for input, which its `handlers` answer: a task is `input_required` meanwhile. Of the
   * two protocol versions that have tasks, 2026-07-28 has it only in tasks.
   *
   * @throws Error if the caller has no such handler, or the client is closed.
   */
  ask(
    method: 'elicitation/create' | 'sampling/createMessage' | 'roots/list',
    params?: object,
  ): Promise<unknown>;
}

/** Arguments as a tool of a fake client gets them; where nothing is known of them, members are `unknown`. */
type ArgumentsOf<Type extends ToolType> = [keyof Type['arguments']] extends [never]
  ? Record<string, unknown>
  : Type['arguments'];

type StructuredOf<Type extends ToolType> = Type extends { structured: infer Structured }
  ? Structured
  : object;

/**
 * What a tool answers: a text; a whole result, which has `content`; or any other value, which is its
 * structured content. Nothing is a result without content.
 */
export type FakeAnswer<Type extends ToolType = ToolType> =
  string | CallToolResult | StructuredOf<Type> | undefined | void;

/**
 * A tool of a fake client. An error that it throws is a result with `isError: true`, as servers do it; a
 * `LongwireError` is what the call fails with, with its code and its certainty.
 */
export type FakeToolFunction<Type extends ToolType = ToolType> = (
  args: ArgumentsOf<Type>,
  context: FakeToolContext,
) => FakeAnswer<Type> | Promise<FakeAnswer<Type>>;

/** A tool, and what is said of it where tools are listed. */
export interface FakeToolDefinition<Type extends ToolType = ToolType> {
  /** What it does. */
  run: FakeToolFunction<Type>;
  title?: string;
  description?: string;
  annotations?: ToolAnnotations;
  /**
   * What its arguments have to be: a schema of zod, valibot, arktype and the like, or a JSON Schema.
   * Others are answered by a result with `isError: true`, and the tool does not run. Default: any.
   */
  inputSchema?: StandardSchema | Readonly<Record<string, unknown>>;
  /** A JSON Schema of its structured content, which the client checks as that of any server. */
  outputSchema?: Readonly<Record<string, unknown>>;
  /**
   * Whether its calls become tasks: `required` always, `optional` where the client would have one of a real
   * server. Their ids are `task-1`, `task-2`, … Default: they are ordinary calls.
   */
  task?: 'optional' | 'required';
}

/**
 * A task that is there before any call, as one that another process has begun. It runs from the first time
 * that it is asked for.
 */
export type FakeTaskFunction = (context: FakeToolContext) => FakeAnswer | Promise<FakeAnswer>;

/** What a resource is: its text, or `text`, or `blob` in Base64. */
export type FakeResource =
  | string
  | { readonly text: string; readonly mimeType?: string }
  | { readonly blob: string; readonly mimeType?: string };

/** What a prompt is: the text of a user's message, or a whole prompt. */
export type FakePrompt = (
  args: Readonly<Record<string, string>>,
) => string | GetPromptResult | Promise<string | GetPromptResult>;

/** What a fake client has. It is read anew each time: what a test changes, is. */
export interface Fakes<Tools extends ToolTypes<Tools> = AnyTools> {
  /** By name. A test has those that it needs: a call of another one fails. */
  tools?: {
    [Name in keyof Tools]?: FakeToolFunction<Tools[Name]> | FakeToolDefinition<Tools[Name]>;
  };
  /** By URI. Default: none. */
  resources?: Readonly<Record<string, FakeResource>>;
  /** By id, for `client.task(id)`. A test of a program that begins again has those of before. Default: none. */
  tasks?: Readonly<Record<string, FakeTaskFunction>>;
  /** By name. Default: none. */
  prompts?: Readonly<Record<string, FakePrompt>>;
}

/** A call of a tool. */
export interface FakeCall {
  readonly tool: string;
  readonly arguments: unknown;
  readonly principal: string | undefined;
}

/** What a fake server can say unasked. */
export interface FakeEvents {
  log: LoggingMessageNotificationParams;
  resourceUpdated: { uri: string };
  toolsChanged: undefined;
  resourcesChanged: undefined;
  promptsChanged: undefined;
  notification: ServerNotification;
}

/** A client without a server and a network: see `fakeClient`. */
export interface FakeClient<
  Tools extends ToolTypes<Tools> = AnyTools,
> extends LongwireClient<Tools> {
  /** The calls of its tools so far, also those whose arguments were refused. A test may empty it. */
  readonly calls: FakeCall[];
  /**
   * Says something as a server does; fulfilled when the listeners have been called. It connects first if
   * need be.
   */
  emit<Event extends keyof FakeEvents>(
    event: Event,
    ...payload: FakeEvents[Event] extends undefined ? [] : [payload: FakeEvents[Event]]
  ): Promise<void>;
}
