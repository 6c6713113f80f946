import { didYouMean } from '@longwire/client';
import jsonata from 'jsonata';
import { freeNames } from './expression-names.js';
import { evaluateInThread } from './expression-thread.js';

/** What expressions see. */
export interface ExpressionContext {
  /** The event that the run is about. */
  event: unknown;
  /** The results of the steps done so far, by id. */
  steps?: Readonly<Record<string, unknown>>;
  /** The result of the step before this one. */
  result?: unknown;
  /** In the error branch: what failed. */
  error?: unknown;
}

/** An expression that cannot be compiled. */
export class ExpressionError extends Error {
  override readonly name: string = 'ExpressionError';
  /** Where in the expression, from 0. */
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** A JSONata expression. */
export class Expression {
  readonly source: string;

  /**
   * `names` are those that it may look up: a misspelt one would find nothing without a word.
   *
   * @throws ExpressionError that says where it is wrong.
   */
  constructor(source: string, names: readonly string[]) {
    this.source = source;
    let compiled: jsonata.Expression;
    try {
      compiled = jsonata(source);
    } catch (error) {
      const { message, position = 0, token } = error as Partial<jsonata.JsonataError>;
      const length = token === undefined || token === '(end)' ? 0 : String(token).length;
      throw new ExpressionError(message ?? String(error), Math.max(0, position - length));
    }
    const unknown = freeNames(compiled.ast()).find(({ name }) => !names.includes(name));
    if (unknown === undefined) return;
    const { name, offset } = unknown;
    const hint = didYouMean(name, names) || ` There are ${names.join(', ')}.`;
    throw new ExpressionError(`nothing is called ${name} here.${hint}`, offset);
  }

  /**
   * Works it out, for two seconds at most, in a thread. The value is plain JSON, or `undefined` where the
   * expression finds nothing.
   *
   * @throws Error that quotes the expression.
   */
  async evaluate(context: ExpressionContext): Promise<unknown> {
    try {
      return await evaluateInThread(this.source, context);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`the expression ${this.source} failed: ${message}`, { cause: error });
    }
  }

  /**
   * Whether a condition holds, in the sense of JSONata's `$boolean`: nothing, 0, an empty text or
   * list is false.
   */
  async test(context: ExpressionContext): Promise<boolean> {
    const value = await this.evaluate(context);
    if (Array.isArray(value)) return value.some(Boolean);
    if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
    return Boolean(value);
  }
}

/** Arguments with expressions in them. */
export type Template =
  | { kind: 'expression'; expression: Expression }
  | { kind: 'literal'; value: unknown }
  | { kind: 'list'; items: readonly Template[] }
  | { kind: 'map'; entries: readonly (readonly [key: string, value: Template])[] };

/**
 * Fills a template in. What is `undefined` is left out; with `onGap`, it is replaced by what that
 * returns, and so is what cannot be worked out.
 *
 * @throws Error that quotes the expression that failed.
 */
export async function fill(
  template: Template,
  context: ExpressionContext,
  onGap?: (expression: Expression) => unknown,
): Promise<unknown> {
  switch (template.kind) {
    case 'literal':
      return template.value;
    case 'expression':
      return fillGap(template.expression, context, onGap);
    case 'list':
      return Promise.all(
        template.items.map(async (item) => (await fill(item, context, onGap)) ?? null),
      );
    case 'map': {
      const filled = await Promise.all(
        template.entries.map(
          async ([key, value]) => [key, await fill(value, context, onGap)] as const,
        ),
      );
      return Object.fromEntries(filled.filter(([, value]) => value !== undefined));
    }
  }
}

async function fillGap(
  expression: Expression,
  context: ExpressionContext,
  onGap: ((expression: Expression) => unknown) | undefined,
): Promise<unknown> {
  if (onGap === undefined) return expression.evaluate(context);
  const value = await expression.evaluate(context).catch(() => undefined);
  return value ?? onGap(expression);
}
