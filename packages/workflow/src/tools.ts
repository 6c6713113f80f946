import { didYouMean, nameList } from '@longwire/client/internal';
import type { Tool } from '@longwire/client';
import { allSteps, type CallStep, type Step, type Trigger, type Workflow } from './definition.js';
import { distinctProblems, WorkflowError, type WorkflowProblem } from './errors.js';
import { createServerMatcher } from './event.js';
import { propertyOf, missingProperties, type JsonSchema } from './json-schema.js';
import { resultSchema, wrongReads } from './scope.js';
import type { Source } from './source.js';

/** The servers of a workflow by name. */
export type Servers = Readonly<Record<string, Source>>;

/** A tool and the server that has it. */
export interface ToolAddress {
  server: string;
  tool: string;
}

/** The tool that a step calls; `server/tool` names its server, otherwise it is the event's. */
export function addressOf(call: string, eventServer: string, servers: Servers): ToolAddress {
  const slash = call.indexOf('/');
  const server = call.slice(0, Math.max(0, slash));
  if (slash > 0 && Object.hasOwn(servers, server)) return { server, tool: call.slice(slash + 1) };
  return { server: eventServer, tool: call };
}

/** The tools of all servers, as they were listed. */
export class ToolLists {
  readonly #servers: Servers;
  readonly #lists = new Map<string, ReadonlyMap<string, Tool>>();

  constructor(servers: Servers) {
    this.#servers = servers;
  }

  /** Asks every server for its tools. */
  async refresh(signal: AbortSignal): Promise<void> {
    await Promise.all(Object.keys(this.#servers).map((name) => this.refreshOne(name, signal)));
  }

  /** Asks one server for its tools. */
  async refreshOne(name: string, signal: AbortSignal): Promise<void> {
    const tools = (await this.#servers[name]?.listTools({ signal })) ?? [];
    this.#lists.set(name, new Map(tools.map((tool) => [tool.name, tool])));
  }

  /** Whether a server that is trusted says that a tool may run twice. */
  isSafe({ server, tool }: ToolAddress): boolean {
    if (this.#servers[server]?.trustHints === false) return false;
    const annotations = this.#lists.get(server)?.get(tool)?.annotations;
    return annotations?.readOnlyHint === true || annotations?.idempotentHint === true;
  }

  /** The known required arguments of a tool that are missing. */
  missing({ server, tool }: ToolAddress, given: unknown): (readonly PropertyKey[])[] {
    return missingProperties(this.#lists.get(server)?.get(tool)?.inputSchema, given);
  }

  /**
   * Checks a workflow against the tools.
   *
   * @throws WorkflowError with every call of an unknown tool, and every expression about an unknown
   * result.
   */
  check(workflow: Workflow): void {
    // Several servers may lack the same tool, which is one mistake in the file.
    const problems = distinctProblems(
      workflow.triggers.flatMap((trigger) => this.#problemsOf(trigger)),
    );
    if (problems.length > 0) throw new WorkflowError(workflow.file, problems);
  }

  #problemsOf(trigger: Trigger): WorkflowProblem[] {
    const { from, fromAt, steps, catch: branch } = trigger;
    const names = Object.keys(this.#servers);
    const eventServers = names.filter(createServerMatcher(from));
    if (eventServers.length === 0) {
      const hint = didYouMean(from, names) || ` There are ${nameList(names) || 'none'}.`;
      return [{ ...fromAt, message: `from: no server is called ${from}.${hint}` }];
    }
    const calls = allSteps([...steps, ...branch]).flatMap((step) => {
      if (step.kind !== 'call') return [];
      return eventServers.flatMap((eventServer) => {
        const message = this.#wrongCall(step, eventServer);
        return message === undefined ? [] : [{ ...step.at, message }];
      });
    });
    const reads = eventServers.flatMap((eventServer) =>
      wrongReads(trigger, (step) => this.#resultOf(step, eventServer)),
    );
    return [...calls, ...reads];
  }

  #resultOf(step: Step, eventServer: string): JsonSchema | undefined {
    if (step.kind !== 'call') return undefined;
    const { server, tool } = addressOf(step.call, eventServer, this.#servers);
    const found = this.#lists.get(server)?.get(tool);
    return found && resultSchema(found.outputSchema);
  }

  #wrongCall(step: CallStep, eventServer: string): string | undefined {
    const { server, tool } = addressOf(step.call, eventServer, this.#servers);
    if (step.as !== undefined && this.#servers[server]?.as === undefined) {
      return `as: the server ${server} was given without a method as, so that it knows no principals`;
    }
    const tools = this.#lists.get(server) ?? new Map<string, Tool>();
    const found = tools.get(tool);
    if (found !== undefined) return wrongArguments(step, found);
    const elsewhere = [...this.#lists].flatMap(([name, list]) =>
      list.has(step.call) ? [`${name}/${step.call}`] : [],
    );
    const hint =
      elsewhere.length > 0
        ? ` Did you mean ${elsewhere.join(' or ')}?`
        : didYouMean(tool, [...tools.keys()]) || this.#serverHint(step.call);
    return `the server ${server} has no tool "${tool}".${hint}`;
  }

  #serverHint(call: string): string {
    const [server = ''] = call.split('/');
    return server === call ? '' : didYouMean(server, Object.keys(this.#servers));
  }
}

/** What is wrong with the names of the arguments in the file. */
function wrongArguments({ arguments: template }: CallStep, tool: Tool): string | undefined {
  if (template.kind !== 'map') return undefined;
  const { inputSchema } = tool;
  const { required } = inputSchema as { required?: unknown };
  const given = new Set(template.entries.map(([key]) => key));
  const missing = (Array.isArray(required) ? required.map(String) : []).filter(
    (name) => !given.has(name),
  );
  if (missing.length > 0) return `the tool "${tool.name}" also needs ${nameList(missing)}`;
  for (const name of given) {
    const hint = propertyOf(inputSchema, name)?.hint;
    if (hint !== undefined) return `the tool "${tool.name}" has no argument "${name}".${hint}`;
  }
  return undefined;
}
