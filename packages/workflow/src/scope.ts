import type { EventFilter, Read, Step, Trigger } from './definition.js';
import type { WorkflowProblem } from './errors.js';
import { isSchema, propertyOf, type JsonSchema } from './json-schema.js';

const text: JsonSchema = { type: 'string' };
const anything: JsonSchema = {};

/** The names that expressions of a step see. */
interface Scope {
  event: JsonSchema;
  steps: Readonly<Record<string, JsonSchema>>;
  result?: JsonSchema;
  error?: JsonSchema;
}

const failure = closed({ code: text, message: text, certainty: text, step: text });

/** The schema of the events of a trigger. */
function eventSchema(filter: EventFilter): JsonSchema {
  const isLog =
    filter.kind === 'log' || (filter.kind === 'name' && filter.name === 'notifications/message');
  const resource = closed({ uri: text, title: text, _meta: anything });
  const log = { type: 'object', properties: { level: text, logger: text, data: anything } };
  const params = isLog ? log : filter.kind === 'resource' ? resource : anything;
  const data = filter.kind === 'resource' ? resource : anything;
  return closed({ name: text, server: text, id: text, data, params, at: text });
}

/**
 * The lookups in a trigger's expressions that find nothing. `resultOf` returns what is known of the
 * result of a step.
 */
export function wrongReads(
  { filter, reads, steps, catch: branch }: Trigger,
  resultOf: (step: Step) => JsonSchema | undefined,
): WorkflowProblem[] {
  const problems: WorkflowProblem[] = [];
  /** Steps share that of an `as` above them. */
  const wrong = new Set<Read>();
  const event = eventSchema(filter);

  const check = (step: { reads: readonly Read[] }, visible: JsonSchema): void => {
    for (const read of step.reads) {
      const problem = wrong.has(read) ? undefined : wrongRead(read, visible);
      if (problem === undefined) continue;
      wrong.add(read);
      problems.push(problem);
    }
  };

  /** Checks steps that follow each other; returns the scope after them. */
  const inOrder = (list: readonly Step[], before: Scope): Scope =>
    list.reduce((scope, step) => {
      check(step, closed({ ...scope, steps: closed(scope.steps) }));
      let result = resultOf(step) ?? anything;
      let done = scope.steps;
      if (step.kind === 'parallel') {
        // They run in parallel: none sees the result of another.
        const after = step.branches.map((one) => inOrder([one], scope).steps);
        done = Object.assign({}, done, ...after) as Scope['steps'];
        result = anything;
      }
      const own = { ...scope, steps: { ...done, [step.id]: result }, result };
      const after = inOrder(step.next, own);
      // If it is skipped, the result is still that of the step before.
      return step.where === undefined ? after : { ...after, result: anything };
    }, before);

  check({ reads }, closed({ event }));
  const after = inOrder(steps, { event, steps: {} });
  inOrder(branch, { event, steps: after.steps, error: failure });
  return problems;
}

function wrongRead({ place, names, at }: Read, visible: JsonSchema): WorkflowProblem | undefined {
  let schema: unknown = visible;
  for (const [index, name] of names.entries()) {
    const property = propertyOf(schema, name);
    if (property === undefined) return undefined;
    if (property.hint !== undefined) {
      const message = `${place}: the expression is wrong: ${notThere(names, index)}${property.hint}`;
      return { ...(at[index] ?? { line: 1, column: 1 }), message };
    }
    schema = property.schema;
  }
  return undefined;
}

function notThere(names: readonly string[], index: number): string {
  const name = names[index] ?? '';
  const owner = names.slice(0, index).join('.');
  if (owner === '') return `nothing is called ${name} here.`;
  if (owner === 'steps') return `no step before this one is called ${name}.`;
  if (isEnvelope(name)) {
    return `${owner} is what the tool answered, without ${name}; a call that fails goes to "catch".`;
  }
  return `${owner} has no ${name}.`;
}

/** The properties of a tool's answer that are not part of its result. */
const envelope = ['isError', 'structuredContent', '_meta'];

function isEnvelope(name: string): boolean {
  return envelope.includes(name);
}

/** What is known of the result of a tool by its output schema. */
export function resultSchema(outputSchema: unknown): JsonSchema {
  const none = Object.fromEntries(envelope.map((name) => [name, false]));
  const schema = isSchema(outputSchema) ? outputSchema : {};
  const { properties } = schema;
  return { ...schema, properties: { ...none, ...(isSchema(properties) && properties) } };
}

function closed(properties: Readonly<Record<string, unknown>>): JsonSchema {
  return { type: 'object', properties, additionalProperties: false };
}
