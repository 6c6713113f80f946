import type { CallToolOptions, CallToolResult, ServerNotification, Tool } from '@longwire/client';
import type { Source } from '../../src/index.ts';

/** What a tool does, given its arguments and how often it was called before. */
export type ToolScript = (
  args: Record<string, unknown>,
  earlier: number,
  options: CallToolOptions,
) => unknown;

/** A tool as it is scripted; a function alone is a tool without annotations. */
export type ScriptedTool = ToolScript | { run: ToolScript; tool: Partial<Tool> };

/** A server without a network, which answers as it is told and knows its calls. */
export class ScriptedSource implements Source {
  /** What was called, in order. */
  readonly calls: { tool: string; args: Record<string, unknown> }[] = [];
  /** What it was asked for beside tools. */
  readonly asked: string[] = [];
  resources: string[] = [];
  readonly #tools: Readonly<Record<string, ScriptedTool>>;
  readonly #listeners = new Set<(notification: ServerNotification) => void>();

  constructor(tools: Readonly<Record<string, ScriptedTool>>) {
    this.#tools = tools;
  }

  /** How many listen. */
  get listeners(): number {
    return this.#listeners.size;
  }

  /** The arguments of the calls of a tool. */
  argsOf(tool: string): Record<string, unknown>[] {
    return this.calls.filter((call) => call.tool === tool).map(({ args }) => args);
  }

  /** Sends a notification. */
  notify(method: string, params: Record<string, unknown> = {}): void {
    for (const listener of this.#listeners) listener({ method, params });
  }

  /** Sends a named event, as tool-events servers do. */
  send(event: string, data: unknown): void {
    this.notify('notifications/event', { event, data });
  }

  async listTools(): Promise<Tool[]> {
    return Object.entries(this.#tools).map(([name, scripted]) => ({
      name,
      inputSchema: { type: 'object' as const },
      ...(typeof scripted === 'object' && scripted.tool),
    }));
  }

  async callTool(
    tool: string,
    args: Record<string, unknown> = {},
    options: CallToolOptions = {},
  ): Promise<CallToolResult> {
    const earlier = this.argsOf(tool).length;
    this.calls.push({ tool, args });
    const scripted = this.#tools[tool];
    const run = typeof scripted === 'object' ? scripted.run : scripted;
    const value = await run?.(args, earlier, options);
    if (typeof value === 'object' && value !== null && 'content' in value) {
      return value as CallToolResult;
    }
    if (typeof value === 'object' && value !== null) {
      return { content: [], structuredContent: value as Record<string, unknown> };
    }
    return { content: [{ type: 'text', text: String(value) }] };
  }

  on(_event: 'notification', listener: (notification: ServerNotification) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async subscribeResource(uri: string): Promise<void> {
    this.asked.push(`subscribe ${uri}`);
  }

  async listResources(): Promise<{ uri: string; name: string }[]> {
    return this.resources.map((uri) => ({ uri, name: uri }));
  }

  async setLogLevel(level: string): Promise<void> {
    this.asked.push(`level ${level}`);
  }
}
