import type {
  CallToolResult,
  JSONRPCResponse,
  Result,
  Tool,
  ToolAnnotations,
} from '@modelcontextprotocol/client';
import { nextCursor } from '../connection/pages.js';
import { LongwireError } from '../errors.js';
import type { Era } from '../protocol-version.js';
import { asksForHeaders, asksRightly, withoutWrongHeaderTools } from './header-tools.js';
import { publishHints, type ToolHints } from './hints.js';
import { OutputSchema } from './output-schema.js';

/** Called with what is wrong with a list, or with a schema in it. */
type Report = (error: LongwireError) => void;

/** One tool as it was listed. */
interface ListedTool {
  json: string;
  taskSupport: TaskSupport;
  isReadOnly: boolean;
  isSafe: boolean;
}

/** Whether a call of a tool can be, or has to be, a task, in the era of 2025-11-25. */
export type TaskSupport = 'forbidden' | 'optional' | 'required';

/** At most so many tools are named in a message. */
const MAX_NAMED = 5;

/**
 * All that `tools/list` of a server says. It outlives the connection on which the tools were listed,
 * and goes for every connection to the same server.
 *
 * - `learn` reads every page, whoever asked for it: the hints, which say what may be sent again.
 * - `take` reads a whole list that the program asked for: output schemas, tools that want headers.
 */
export class ToolCatalog implements ToolHints {
  /** Identifies the client or the pool to which it belongs. */
  readonly client: object = Object.freeze({});
  #tools = new Map<string, ListedTool>();
  #isListed = false;
  #isComplete = false;
  #outputs: ReadonlyMap<string, OutputSchema> = new Map();
  #headerTools: ReadonlyMap<string, Tool> = new Map();

  constructor() {
    publishHints(this.client, this);
  }

  /** Whether the list was ever asked for. */
  get isListed(): boolean {
    return this.#isListed;
  }

  /** Reads a page; without a cursor it is the first one, and the list begins anew. */
  learn(cursor: unknown, page: Result): void {
    if (cursor === undefined) this.#tools = new Map();
    this.#isListed = true;
    const { tools } = page;
    // By an empty cursor most servers mean the end, and send the first page again.
    if (cursor !== '') this.#isComplete = (nextCursor(page) ?? '') === '';
    if (!Array.isArray(tools)) return;
    for (const tool of tools as unknown[]) {
      const { name, annotations, execution } = (tool ?? {}) as Record<string, unknown>;
      if (typeof name !== 'string') continue;
      const taskSupport = readTaskSupport(execution);
      this.#tools.set(name, { json: JSON.stringify(tool), taskSupport, ...readHints(annotations) });
    }
  }

  isReadOnly(tool: unknown): boolean {
    return this.#tools.get(tool as string)?.isReadOnly === true;
  }

  /** @see https://modelcontextprotocol.io/specification/2025-11-25/schema#toolannotations */
  isSafe(tool: unknown): boolean {
    return this.#tools.get(tool as string)?.isSafe === true;
  }

  /** What a tool says of tasks; one that was never listed forbids them. */
  taskSupport(tool: string): TaskSupport {
    return this.#tools.get(tool)?.taskSupport ?? 'forbidden';
  }

  /** Replaces the list by another one; true if it is known to differ, in whatever order. */
  replace(other: ToolCatalog): boolean {
    const before = this.#tools;
    const wasComplete = this.#isComplete;
    this.#tools = other.#tools;
    this.#isComplete = other.#isComplete;
    // The end of a list that was not read to its end is not known.
    if (!wasComplete) return false;
    if (before.size !== this.#tools.size) return true;
    for (const [name, { json }] of this.#tools) {
      if (before.get(name)?.json !== json) return true;
    }
    return false;
  }

  /**
   * Takes a whole list of tools in place of the one before, and gives those that can be used: in the
   * modern era, tools that ask for headers wrongly are left out, and reported.
   */
  take(tools: Tool[], era: Era | undefined, report: Report): Tool[] {
    this.#outputs = new Map(
      tools
        // There are servers that write null for what they leave out.
        .filter(
          ({ outputSchema = null }: { outputSchema?: object | null | undefined }) =>
            outputSchema !== null,
        )
        .map(({ name, outputSchema }) => [name, new OutputSchema(name, outputSchema)]),
    );
    const isModern = era === 'modern';
    const usable = isModern ? tools.filter(({ inputSchema }) => asksRightly(inputSchema)) : tools;
    const asking = isModern ? usable.filter(({ inputSchema }) => asksForHeaders(inputSchema)) : [];
    // What it promised is checked here, and not by the SDK, too.
    this.#headerTools = new Map(asking.map((tool) => [tool.name, withoutOutputSchema(tool)]));
    if (usable.length < tools.length) report(asksWrongly(tools, usable));
    return usable;
  }

  /** A page without the tools that cannot be used: the SDK's `Client` writes their names to the terminal. */
  usablePage<Answer extends JSONRPCResponse>(answer: Answer): Answer {
    return withoutWrongHeaderTools(answer);
  }

  /** A tool that wants arguments in headers, too, as it was listed. */
  headerTool(name: string): Tool | undefined {
    return this.#headerTools.get(name);
  }

  /** Whether a tool promised a structure. */
  promisesOutput(tool: string): boolean {
    return this.#outputs.has(tool);
  }

  /**
   * Checks a result against what its tool promises now.
   *
   * @throws ToolResultError, with the result on it.
   */
  async checkOutput(tool: string, result: CallToolResult, report: Report): Promise<CallToolResult> {
    const output = this.#outputs.get(tool);
    await output?.check(result, (reason) => {
      // It may have been listed anew meanwhile.
      if (this.#outputs.get(tool) === output) report(unchecked(tool, reason));
    });
    return result;
  }

  /** The tools changed: what they promised before is not known to go for them now. */
  forgetOutputs(): void {
    this.#outputs = new Map();
  }
}

/** The one reading of a tool's annotations: only what is exactly `true` is a hint. */
function readHints(annotations: unknown): Pick<ListedTool, 'isReadOnly' | 'isSafe'> {
  const { readOnlyHint, idempotentHint } = (annotations ?? {}) as ToolAnnotations;
  const isReadOnly = readOnlyHint === true;
  return { isReadOnly, isSafe: isReadOnly || idempotentHint === true };
}

/** @see https://modelcontextprotocol.io/specification/2025-11-25/schema#toolexecution */
function readTaskSupport(execution: unknown): TaskSupport {
  const { taskSupport } = (execution ?? {}) as { taskSupport?: unknown };
  return taskSupport === 'optional' || taskSupport === 'required' ? taskSupport : 'forbidden';
}

function asksWrongly(tools: readonly Tool[], usable: readonly Tool[]): LongwireError {
  const right = new Set(usable);
  const wrong = tools.filter((tool) => !right.has(tool)).map(({ name }) => name);
  const more = wrong.length > MAX_NAMED ? ` and ${wrong.length - MAX_NAMED} more` : '';
  return new LongwireError(
    `tools that ask for headers in a way that is not allowed are left out: ` +
      `${wrong.slice(0, MAX_NAMED).join(', ')}${more}`,
    { code: 'protocol', certainty: 'answered' },
  );
}

function unchecked(tool: string, reason: string): LongwireError {
  return new LongwireError(`a result of ${tool} is not checked by its output schema: ${reason}`, {
    code: 'protocol',
    certainty: 'answered',
  });
}

function withoutOutputSchema(tool: Tool): Tool {
  const { outputSchema: _, ...rest } = tool;
  return rest;
}
