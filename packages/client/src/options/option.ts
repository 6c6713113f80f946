import {
  checkCount,
  checkFlag,
  checkFunction,
  checkObject,
  checkPositive,
  checkText,
  checkTexts,
  checkWhole,
  unknownOption,
} from './checks.js';

/**
 * What an option holds, and in which unit:
 *
 * | kind         | value                                                    |
 * | ------------ | -------------------------------------------------------- |
 * | `duration`   | milliseconds above 0, or from 0 with `min: 0`            |
 * | `bytes`      | a number above 0                                         |
 * | `amount`     | a number above 0 of what the name says                   |
 * | `count`      | a whole number from `min` (0 where none is), or Infinity |
 * | `whole`      | a whole number above 0                                   |
 * | `flag`       | `true` or `false`                                        |
 * | `text`       | a string that is not empty                               |
 * | `texts`      | a list of them                                           |
 * | `enum`       | one of `values`                                          |
 * | `function`   | a function                                               |
 * | `object`     | an object that is no array                               |
 * | `signal`     | an `AbortSignal`                                         |
 * | `group`      | an object with the options of `table`                    |
 * | `other`      | whatever the code that uses it checks                    |
 */
export type OptionKind =
  | 'duration'
  | 'bytes'
  | 'amount'
  | 'count'
  | 'whole'
  | 'flag'
  | 'text'
  | 'texts'
  | 'enum'
  | 'function'
  | 'object'
  | 'signal'
  | 'group'
  | 'other';

/** One option: a row of a table. */
export interface Option<Value = unknown> {
  readonly kind: OptionKind;
  /** The value where none is given. */
  readonly default?: Value;
  /** The default in words, where it is no value; or what else there is to say of it. */
  readonly otherwise?: string;
  readonly min?: number;
  readonly max?: number;
  /** Of an `enum`. */
  readonly values?: readonly Value[];
  /** Of a `group`. */
  readonly table?: AnyTable;
  /** What it is: the doc comment of the type begins with this. */
  readonly sentence?: string;
  /** Whether a server in `longwire.json` may have it. */
  readonly inFile?: true;
}

/** The options of one object by name, whatever the object. */
export type AnyTable = Readonly<Record<string, Option>>;

/** A row for every option of a type. Those that are named have a default. */
export type OptionTable<Options, Defaulted extends keyof Options = never> = {
  readonly [Name in keyof Options]-?: Option<Exclude<Options[Name], undefined>> &
    (Name extends Defaulted ? { readonly default: Exclude<Options[Name], undefined> } : unknown);
};

/** The same, where every option has a default. */
export type DefaultTable<Options> = OptionTable<Options, keyof Options>;

type ValueOf<Row> = Row extends Option<infer Value> ? Value : never;

/** Options as they are given. */
type Given<Table> = { readonly [Name in keyof Table]?: ValueOf<Table[Name]> | undefined };

/** Options with the defaults filled in. */
type Resolved<Table> = {
  readonly [Name in keyof Table]: Table[Name] extends { readonly default: infer Value }
    ? Value
    : ValueOf<Table[Name]> | undefined;
};

/**
 * Checks options by their table, if any are given. `of` says whose they are, for messages.
 *
 * @throws TypeError that names the option.
 */
export function checkOptions(options: unknown, table: AnyTable, of = ''): void {
  if (options === undefined) return;
  checkObject(of === '' ? 'options' : of, options);
  const prefix = of === '' ? '' : `${of}.`;
  // Only what is given costs anything: this runs for every call.
  for (const name of Object.keys(options)) {
    const option = Object.hasOwn(table, name) ? table[name] : undefined;
    if (option === undefined) throw unknownOption(name, Object.keys(table), prefix);
    const value = (options as Readonly<Record<string, unknown>>)[name];
    if (value !== undefined) checkValue(`${prefix}${name}`, value, option);
  }
}

/** The options, with the defaults of those that are not given, or given as `undefined`. */
export function withDefaults<Table extends AnyTable>(
  table: Table,
  options: Given<Table> | undefined,
): Resolved<Table> {
  const resolved = Object.entries(table).map(([name, { default: value }]) => [
    name,
    options?.[name] ?? value,
  ]);
  return Object.fromEntries(resolved) as Resolved<Table>;
}

function checkValue(name: string, value: unknown, option: Option): void {
  const { kind, min, max, values = [] } = option;
  switch (kind) {
    case 'duration':
    case 'bytes':
    case 'amount':
      if (value !== 0 || min !== 0) checkPositive(name, value);
      if (max !== undefined && (value as number) > max) {
        throw new TypeError(`${name}: ${String(value)} is more than ${max}`);
      }
      return;
    case 'count':
      return checkCount(name, value, min);
    case 'whole':
      return checkWhole(name, value);
    case 'flag':
      return checkFlag(name, value);
    case 'text':
      return checkText(name, value);
    case 'texts':
      return checkTexts(name, value);
    case 'enum':
      if (values.includes(value)) return;
      throw new TypeError(`${name}: ${JSON.stringify(value)} is none of ${values.join(', ')}`);
    case 'function':
      return checkFunction(name, value);
    case 'object':
      return checkObject(name, value);
    case 'signal':
      if (typeof (value as Partial<AbortSignal> | null)?.addEventListener === 'function') return;
      throw new TypeError(`${name}: not an AbortSignal`);
    case 'group':
      return checkOptions(value, option.table ?? {}, name);
    case 'other':
  }
}
