import { didYouMean, nameList } from '@longwire/client';
import type { Tool } from '@longwire/client';
import { allSteps, type CallStep, type Step, type Trigger, type Workflow } from './definition.js';
import { WorkflowError, type WorkflowProblem } from './errors.js';
import { createServerMatcher } from './event.js';
import { memberOf, missingMembers, type JsonSchema } from './json-schema.js';
import { resultSchema, wrongReads } from './scope.js';
import type { Source } from './source.js';

/** The servers of a workflow by name. */
export type Servers = Readonly<Record<string, Source>>;

/** A tool and the server that has it. */
export interface ToolAddress {
  server: string;
  tool: string;
}

/** Which tool a step calls; `server/tool` names its server, else it is the event's. */
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

  /** Whether a server said that running a tool twice is no more than running it once. */
  isSafe({ server, tool }: ToolAddress): boolean {
    const annotations = this.#lists.get(server)?.get(tool)?.annotations;
    return annotations?.readOnlyHint === true || annotations?.idempotentHint === true;
  }

  /** The arguments that a tool requires, as far as it is known, and is not given. */
  missing({ server, tool }: ToolAddress, given: unknown): (readonly PropertyKey[])[] {
    return missingMembers(this.#lists.get(server)?.get(tool)?.inputSchema, given);
  }

  /**
   * Checks a workflow against the tools.
   *
   * @throws WorkflowError with every call of a tool that is not there, and every expression about a
   * result that is not there.
   */
  check(workflow: Workflow): void {
    const problems = workflow.triggers.flatMap((trigger) => this.#problemsOf(trigger));
    if (problems.length > 0) throw new WorkflowError(workflow.file, problems);
  }

  #problemsOf(trigger: Trigger): WorkflowProblem[] {
    const { from, fromAt, steps, catch: branch } = trigger;
    const names = Object.keys(this.#servers);
    const senders = names.filter(createServerMatcher(from));
    if (senders.length === 0) {
      const hint = didYouMean(from, names) || ` There are ${nameList(names) || 'none'}.`;
      return [{ ...fromAt, message: `from: no server is called ${from}.${hint}` }];
    }
    const calls = allSteps([...steps, ...branch]).flatMap((step) => {
      if (step.kind !== 'call') return [];
      return senders.flatMap((sender) => {
        const message = this.#wrongCall(step, sender);
        return message === undefined ? [] : [{ ...step.at, message }];
      });
    });
    const reads = senders.flatMap((sender) =>
      wrongReads(trigger, (step) => this.#resultOf(step, sender)),
    );
    // Several servers may lack the same, which is one mistake in the file.
    const problems = new Map([...calls, ...reads].map((one) => [JSON.stringify(one), one]));
    return [...problems.values()];
  }

  #resultOf(step: Step, sender: string): JsonSchema | undefined {
    if (step.kind !== 'call') return undefined;
    const { server, tool } = addressOf(step.call, sender, this.#servers);
    const found = this.#lists.get(server)?.get(tool);
    return found && resultSchema(found.outputSchema);
  }

  #wrongCall(step: CallStep, sender: string): string | undefined {
    const { server, tool } = addressOf(step.call, sender, this.#servers);
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

/** What is wrong with the names of the arguments, as far as they are written in the file. */
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
    const hint = memberOf(inputSchema, name)?.hint;
    if (hint !== undefined) return `the tool "${tool.name}" has no argument "${name}".${hint}`;
  }
  return undefined;
}
