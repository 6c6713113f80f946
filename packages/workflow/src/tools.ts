import { didYouMean, nameList } from '@longwire/client';
import type { Tool } from '@longwire/client';
import { allSteps, type CallStep, type Trigger, type Workflow } from './definition.js';
import { WorkflowError, type WorkflowProblem } from './errors.js';
import { createServerMatcher } from './event.js';
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

  /**
   * Checks a workflow against the tools.
   *
   * @throws WorkflowError with every call of a tool that is not there.
   */
  check(workflow: Workflow): void {
    const problems = workflow.triggers.flatMap((trigger) => this.#problemsOf(trigger));
    if (problems.length > 0) throw new WorkflowError(workflow.file, problems);
  }

  #problemsOf({ from, fromAt, steps, catch: branch }: Trigger): WorkflowProblem[] {
    const names = Object.keys(this.#servers);
    const senders = names.filter(createServerMatcher(from));
    if (senders.length === 0) {
      const hint = didYouMean(from, names) || ` There are ${nameList(names) || 'none'}.`;
      return [{ ...fromAt, message: `from: no server is called ${from}.${hint}` }];
    }
    return allSteps([...steps, ...branch]).flatMap((step) => {
      if (step.kind !== 'call') return [];
      // Several servers may lack the same tool, which is one mistake in the file.
      const messages = senders.flatMap((sender) => this.#wrongCall(step, sender) ?? []);
      return [...new Set(messages)].map((message) => ({ ...step.at, message }));
    });
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
  const { properties, required, additionalProperties } = tool.inputSchema as {
    [key: string]: unknown;
  };
  const given = new Set(template.entries.map(([key]) => key));
  const missing = (Array.isArray(required) ? required.map(String) : []).filter(
    (name) => !given.has(name),
  );
  if (missing.length > 0) return `the tool "${tool.name}" also needs ${nameList(missing)}`;
  const known = Object.keys(properties ?? {});
  const named = new Set(known);
  const extra = [...given].find((name) => !named.has(name));
  if (extra === undefined || additionalProperties !== false) return undefined;
  return `the tool "${tool.name}" has no argument "${extra}".${didYouMean(extra, known)}`;
}
