import jsonata from 'jsonata';
import { evaluateInThread, type ExpressionContext } from './expression-thread.js';
import { lookupsOf, type Lookup } from './lookups.js';

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
  /** What it looks up in its context. */
  readonly lookups: readonly Lookup[];

  /** @throws ExpressionError that says where it is wrong. */
  constructor(source: string) {
    this.source = source;
    let compiled: jsonata.Expression;
    try {
      compiled = jsonata(source);
    } catch (error) {
      const { message, position = 0, token } = error as Partial<jsonata.JsonataError>;
      const length = token === undefined || token === '(end)' ? 0 : String(token).length;
      throw new ExpressionError(message ?? String(error), Math.max(0, position - length));
    }
    this.lookups = lookupsOf(compiled.ast());
  }

  /** Whether it needs more than the event, which exists before any call. */
  get needsResults(): boolean {
    return this.lookups.some(([first]) => first?.name !== 'event');
  }

  /**
   * Evaluates it in a thread, for at most two seconds. The value is plain JSON, or `undefined` if the
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

/** An expression in arguments that found nothing. */
export interface Gap {
  /** Which argument, as in `['order', 'symbol']`; empty: all of them. */
  path: readonly PropertyKey[];
  expression: Expression;
}

/** What a template is filled in with. */
export interface Filling {
  context: ExpressionContext;
  /** Collects the expressions that found nothing; their arguments are omitted, or `null` in a list. */
  gaps: Gap[];
  /** Whether expressions that need results are shown as `=expression`, because there are none. */
  isDryRun: boolean;
}

/**
 * Fills a template in.
 *
 * @throws Error that quotes the expression that failed.
 */
export async function fill(
  template: Template,
  filling: Filling,
  path: readonly PropertyKey[] = [],
): Promise<unknown> {
  switch (template.kind) {
    case 'literal':
      return template.value;
    case 'expression': {
      const { expression } = template;
      if (filling.isDryRun && expression.needsResults) return `=${expression.source}`;
      const value = await expression.evaluate(filling.context);
      if (value === undefined) filling.gaps.push({ path, expression });
      return value;
    }
    case 'list':
      return Promise.all(
        template.items.map(
          async (item, index) => (await fill(item, filling, [...path, index])) ?? null,
        ),
      );
    case 'map': {
      const filled = await Promise.all(
        template.entries.map(
          async ([key, value]) => [key, await fill(value, filling, [...path, key])] as const,
        ),
      );
      return Object.fromEntries(filled.filter(([, value]) => value !== undefined));
    }
  }
}
