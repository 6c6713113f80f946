import { createHash } from 'node:crypto';
import type {
  EventFilter,
  NamedServer,
  Read,
  Step,
  StepRetry,
  Trigger,
  Workflow,
} from './definition.js';
import { distinctProblems, WorkflowError, type WorkflowProblem } from './errors.js';
import { Expression, ExpressionError, type Template } from './expression.js';
import { LongwireError, type LoggingLevel } from '@longwire/client';
import { didYouMean, LOG_LEVELS, readTextFile } from '@longwire/client/internal';
import { checkShape, type FileSource, type StepSource, type TriggerSource } from './schema.js';
import { wrongReads } from './scope.js';
import { SourceMap, written, type Path } from './source-map.js';

const noRetry: StepRetry = { maxAttempts: 1, delayMs: 250 };

/**
 * Reads a workflow from a YAML or JSON file.
 *
 * @throws WorkflowError; LongwireError (code `config`) if the file cannot be read.
 */
export async function loadWorkflow(path: string): Promise<Workflow> {
  return parseWorkflow(readWorkflowFile(path), { file: path });
}

function readWorkflowFile(path: string): string {
  try {
    return readTextFile(path);
  } catch (error) {
    const reason = (error as Error).message;
    throw new LongwireError(`${path} could not be read: ${reason}`, {
      code: 'config',
      certainty: 'not-sent',
      cause: error,
    });
  }
}

/**
 * Reads a workflow from the text of a file; `file` is what errors call it (default `workflow`).
 *
 * @throws WorkflowError with all mistakes and their positions.
 */
export function parseWorkflow(text: string, options: { file?: string } = {}): Workflow {
  const { file = 'workflow' } = options;
  const source = new SourceMap(text);
  const refuse = (problems: readonly WorkflowProblem[]): void => {
    if (problems.length > 0) throw new WorkflowError(file, problems);
  };
  refuse(source.problems);
  let value: unknown;
  try {
    value = source.value();
  } catch (error) {
    refuse([{ line: 1, column: 1, message: (error as Error).message }]);
  }
  const shape = checkShape(value, source, file);
  const reader = new Reader(source);
  const workflow = reader.workflow(shape, file);
  refuse(distinctProblems(reader.problems));
  return workflow;
}

/** What steps have of what they are in, unless they say otherwise. */
interface Inherited {
  retry: StepRetry;
  /** The principal, and what its expression looks up. */
  as: { expression: Expression; reads: readonly Read[] } | undefined;
}

/** Converts the file to a workflow, and collects mistakes. */
class Reader {
  readonly problems: WorkflowProblem[] = [];
  readonly #source: SourceMap;
  #ids = new Set<string>();
  #reads: Read[] = [];

  constructor(source: SourceMap) {
    this.#source = source;
  }

  workflow(shape: FileSource, file: string): Workflow {
    const inherited: Inherited = { retry: noRetry, as: this.#as(shape.as, ['as'], undefined) };
    const triggers = shape.triggers.map((trigger, index) =>
      this.#trigger(trigger, index, inherited),
    );
    for (const trigger of triggers) {
      this.problems.push(...wrongReads(trigger, () => undefined));
    }
    const names = new Set<string>();
    for (const [index, { name }] of triggers.entries()) {
      if (names.has(name))
        this.#wrong(['triggers', index, 'id'], `two triggers are called ${name}`);
      names.add(name);
    }
    const { name = 'workflow', concurrency = 4, maxChain = 1000, servers = {} } = shape;
    // Removes undefined values, which the client would reject.
    const named = JSON.parse(JSON.stringify(servers)) as Record<string, NamedServer>;
    return { file, name, concurrency, maxChain, servers: named, triggers };
  }

  #trigger(trigger: TriggerSource, index: number, ofFile: Inherited): Trigger {
    const path: Path = ['triggers', index];
    const { on, event, tool, call, responseTool, dedupe, debounceMs, from = '*' } = trigger;
    this.#ids = new Set();
    if ((on === undefined) === (event === undefined)) {
      this.#wrong(path, 'a trigger has an "on", or an "event" in the short form');
    }
    if (event !== undefined && (tool === undefined || call !== undefined)) {
      this.#wrong(path, 'the short form is { event, tool, responseTool }: "call" goes with "on"');
    }
    if (event === undefined && (tool ?? responseTool) !== undefined) {
      this.#wrong(path, '"tool" and "responseTool" go with "event": with "on", write "call"');
    }
    if (trigger.with !== undefined && event !== undefined) {
      this.#wrong([...path, 'with'], 'in the short form the arguments are what the event says');
    }
    if (dedupe !== undefined && trigger.key === undefined) {
      this.#wrong([...path, 'dedupe'], 'de-duplication needs a "key"');
    }
    const inherited = this.#inherited(trigger, path, ofFile);
    const steps = this.#triggerSteps(trigger, path, inherited);
    if (steps.length === 0) this.#wrong(path, 'a trigger needs something to do: write a "call"');
    const { then, parallel, catch: branch = [] } = trigger;
    const written: unknown[] = [call, tool, responseTool, trigger.with, parallel, then, branch];
    // Only then, so that journals of before go on.
    if (inherited.as !== undefined) written.push(inherited.as.expression.source);
    return {
      name: trigger.id ?? `${on ?? event ?? ''}#${index + 1}`,
      at: this.#source.at(path),
      filter: this.#filter(on ?? event ?? '', [...path, on === undefined ? 'event' : 'on']),
      from,
      fromAt: this.#source.at([...path, 'from']),
      ...this.#reading(() => ({
        where: this.#expression(trigger.where, [...path, 'where']),
        key: this.#expression(trigger.key, [...path, 'key']),
      })),
      debounceMs,
      dedupeMs: dedupe === true ? Infinity : dedupe?.withinMs,
      steps,
      catch: this.#steps(branch, [...path, 'catch'], inherited),
      fingerprint: createHash('sha256').update(JSON.stringify(written)).digest('hex').slice(0, 16),
    };
  }

  /** The steps of a trigger: its own call, then `parallel`, then `then`. */
  #triggerSteps(trigger: TriggerSource, path: Path, inherited: Inherited): Step[] {
    const { call, tool, responseTool, parallel, then = [] } = trigger;
    // The trigger's condition is about its event, and is tested before a run begins.
    const { where: _where, id: _id, ...own } = { ...trigger };
    const steps: Step[] = [];
    if (call !== undefined) steps.push(this.#call({ ...own, call }, path, 'call', inherited));
    if (tool !== undefined) {
      steps.push(this.#call({ ...own, call: tool, with: 'event.data' }, path, 'tool', inherited));
    }
    if (responseTool !== undefined) {
      const response = { ...own, call: responseTool, with: 'result' };
      steps.push(this.#call(response, path, 'responseTool', inherited));
    }
    if (parallel !== undefined) steps.push(this.#parallel({ parallel }, path, inherited));
    return [...steps, ...this.#steps(then, [...path, 'then'], inherited)];
  }

  #steps(steps: readonly StepSource[], path: Path, inherited: Inherited): Step[] {
    return steps.map((step, index) => this.#step(step, [...path, index], inherited));
  }

  #step(step: StepSource, path: Path, outer: Inherited): Step {
    const inherited = this.#inherited(step, path, outer);
    const { where, reads } = this.#reading(() => ({
      where: this.#expression(step.where, [...path, 'where']),
    }));
    const { call, parallel, then = [] } = step;
    if ((call === undefined) === (parallel === undefined)) {
      this.#wrong(path, 'a step has a "call", or a list of steps in "parallel"');
    }
    const own =
      parallel === undefined
        ? this.#call({ ...step, call: call ?? '' }, path, 'call', inherited)
        : this.#parallel({ ...step, parallel }, path, inherited);
    const next = this.#steps(then, [...path, 'then'], inherited);
    return { ...own, where, reads: [...reads, ...own.reads], next };
  }

  #call(
    step: StepSource & { call: string },
    path: Path,
    key: string,
    { retry, as }: Inherited,
  ): Step {
    const { call, idempotent, timeoutMs } = step;
    const { arguments: template, reads } = this.#reading(() => ({
      arguments: this.#template(step.with ?? {}, [...path, 'with']),
    }));
    return {
      kind: 'call',
      id: this.#id(step.id ?? call.replace(/^.*\//, ''), step.id !== undefined, path),
      path: written([...path.slice(2), key]),
      at: this.#source.at([...path, key]),
      call,
      where: undefined,
      arguments: template,
      reads: [...reads, ...(as?.reads ?? [])],
      as: as?.expression,
      retry,
      idempotent,
      timeoutMs,
      next: [],
    };
  }

  #parallel(
    step: { id?: string | undefined; parallel: readonly StepSource[] },
    path: Path,
    inherited: Inherited,
  ): Step {
    return {
      kind: 'parallel',
      id: this.#id(step.id ?? 'parallel', step.id !== undefined, path),
      path: written([...path.slice(2), 'parallel']),
      at: this.#source.at([...path, 'parallel']),
      where: undefined,
      reads: [],
      branches: this.#steps(step.parallel, [...path, 'parallel'], inherited),
      next: [],
    };
  }

  #inherited(
    { retry, as }: Pick<StepSource, 'retry' | 'as'>,
    path: Path,
    outer: Inherited,
  ): Inherited {
    return {
      retry: retry === undefined ? outer.retry : retryOf({ retry }),
      as: this.#as(as, [...path, 'as'], outer.as),
    };
  }

  #as(source: string | undefined, path: Path, outer: Inherited['as']): Inherited['as'] {
    if (source === undefined) return outer;
    const read = this.#reading(() => ({ expression: this.#expression(source, path) }));
    const { expression, reads } = read;
    return expression && { expression, reads };
  }

  /** A unique id within the trigger: a tool called twice is `tool` and `tool_2`. */
  #id(wanted: string, isGiven: boolean, path: Path): string {
    if (isGiven && this.#ids.has(wanted)) {
      this.#wrong([...path, 'id'], `two steps of this trigger are called ${wanted}`);
    }
    let id = wanted;
    for (let number = 2; this.#ids.has(id); number++) id = `${wanted}_${number}`;
    this.#ids.add(id);
    return id;
  }

  #filter(on: string, path: Path): EventFilter {
    if (on.startsWith('resource:')) {
      const pattern = on.slice('resource:'.length);
      if (pattern === '') this.#wrong(path, 'write the resource: resource:<uri or pattern>');
      return { kind: 'resource', pattern, isGlob: /[*?[\]{}!]/.test(pattern) };
    }
    if (!on.startsWith('log:')) return { kind: 'name', name: on };
    const level = on.slice('log:'.length);
    if (!isLevel(level)) {
      const hint = didYouMean(level, LOG_LEVELS) || ` There are ${LOG_LEVELS.join(', ')}.`;
      this.#wrong(path, `"${level}" is no log level.${hint}`);
    }
    return { kind: 'log', level: level as LoggingLevel };
  }

  #expression(source: string | undefined, path: Path): Expression | undefined {
    if (source === undefined) return undefined;
    const text = source.startsWith('=') ? source.slice(1) : source;
    try {
      const expression = new Expression(text);
      for (const lookup of expression.lookups) {
        this.#reads.push({
          place: written(path),
          names: lookup.map(({ name }) => name),
          at: lookup.map(({ offset }) => this.#source.atOffset(path, text, offset)),
        });
      }
      return expression;
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      this.problems.push({
        ...this.#source.atOffset(path, text, error.offset),
        message: `${written(path)}: the expression is wrong: ${error.message}`,
      });
      return undefined;
    }
  }

  /** Reads a part, and the lookups of its expressions. */
  #reading<Part>(read: () => Part): Part & { reads: readonly Read[] } {
    this.#reads = [];
    return { ...read(), reads: this.#reads };
  }

  /** A text in place of a map is an expression; in a map, a text that begins with `=`. */
  #template(value: unknown, path: Path, isInside = false): Template {
    if (typeof value === 'string' && (!isInside || value.startsWith('='))) {
      const expression = this.#expression(value, path);
      return expression ? { kind: 'expression', expression } : { kind: 'literal', value };
    }
    if (Array.isArray(value)) {
      const items = value.map((item, index) => this.#template(item, [...path, index], true));
      return { kind: 'list', items };
    }
    if (typeof value !== 'object' || value === null) return { kind: 'literal', value };
    const entries = Object.entries(value).map(
      ([key, entry]) => [key, this.#template(entry, [...path, key], true)] as const,
    );
    return { kind: 'map', entries };
  }

  #wrong(path: Path, message: string): void {
    this.problems.push({ ...this.#source.at(path), message: `${written(path)}: ${message}` });
  }
}

function retryOf({ retry }: { retry?: TriggerSource['retry'] }): StepRetry {
  if (retry === undefined) return noRetry;
  return { maxAttempts: retry.maxAttempts, delayMs: retry.delayMs ?? noRetry.delayMs };
}

function isLevel(level: string): level is LoggingLevel {
  return (LOG_LEVELS as readonly string[]).includes(level);
}
