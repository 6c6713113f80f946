import type {
  CallToolOptions,
  CallToolResult,
  ClientEvents,
  OperationOptions,
  Tool,
  ToolAnnotations,
  ToolSource,
} from '@longwire/client';

/** A tool of a {@link FakeSource}. */
export interface FakeTool {
  name: string;
  description?: string;
  inputSchema?: Tool['inputSchema'];
  annotations?: ToolAnnotations;
  /** Default: says `<name> ran`. */
  run?: (
    args: Record<string, unknown>,
    options: CallToolOptions,
  ) => CallToolResult | Promise<CallToolResult>;
}

/** A source of tools that lives in the test. */
export interface FakeSource extends ToolSource {
  trusted?: boolean;
  /** What `listTools` gives; replace it and call `changed`. */
  tools: readonly FakeTool[];
  /** Makes the next `listTools` fail with this. */
  failListing: Error | undefined;
  /** Every call, in order. */
  readonly calls: { name: string; args: Record<string, unknown> }[];
  /** The options that `listTools` and `callTool` were given, in order. */
  readonly options: OperationOptions[];
  /** How often the list was asked for. */
  readonly listings: number;
  /** How many listen to it. */
  readonly listeners: number;
  /** Says that the tools changed. */
  changed(): void;
}

/** A result that is one text. */
export function said(text: string): CallToolResult {
  return { content: [{ type: 'text', text }] };
}

/** Makes a source. */
export function fakeSource(name: string, tools: readonly FakeTool[]): FakeSource {
  const listeners = new Set<() => void>();
  const calls: FakeSource['calls'] = [];
  const given: OperationOptions[] = [];
  let listings = 0;
  const source: FakeSource = {
    name,
    tools,
    failListing: undefined,
    calls,
    options: given,
    get listings() {
      return listings;
    },
    get listeners() {
      return listeners.size;
    },
    changed: () => {
      for (const listener of listeners) listener();
    },
    listTools: async (options = {}) => {
      listings++;
      given.push(options);
      if (source.failListing !== undefined) throw source.failListing;
      return source.tools.map((tool) => {
        const { run: _, ...listed } = tool;
        return { inputSchema: { type: 'object' as const }, ...listed };
      });
    },
    callTool: async (tool, args: Record<string, unknown> = {}, options = {}) => {
      calls.push({ name: tool, args });
      given.push(options);
      const found = source.tools.find((candidate) => candidate.name === tool);
      if (found === undefined) throw new Error(`no tool ${tool}`);
      return found.run?.(args, options) ?? said(`${tool} ran`);
    },
    on: <Event extends keyof ClientEvents>(
      event: Event,
      listener: (payload: ClientEvents[Event]) => void,
    ) => {
      if (event !== 'toolsChanged') return () => {};
      const call = (): void => listener(undefined as ClientEvents[Event]);
      listeners.add(call);
      return () => listeners.delete(call);
    },
  };
  return source;
}
