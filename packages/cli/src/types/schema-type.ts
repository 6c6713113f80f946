import { asSchema, requiredNames, type Schema } from '../arguments/schema.js';
import { isJsonObject } from '../json-object.js';
import { literalType } from './literal-type.js';
import { remarksOf } from './remarks.js';
import { isDocument, resolveReference, type Referred } from './resolve-reference.js';
import { tupleOf } from './tuple-type.js';
import {
  intersectionOf,
  isShort,
  unionOf,
  UNKNOWN,
  type Member,
  type NamedType,
  type ObjectNode,
  type TypeNode,
} from './type-node.js';

/** How deep a schema is followed; what lies deeper is `unknown`. */
const maxDepth = 40;

/** How many values an `enum` may have; of more, only their types are told. */
const maxValues = 500;

/** Of how many patterns of names the comment tells. */
const maxPatterns = 20;

/** How many definitions become types with a name; more are `unknown`. */
const maxNamed = 500;

/** The names of a schema's definitions as types. */
export interface Naming {
  /** What the name of a definition's type begins with. */
  readonly prefix: string;
  /** The name of the type of the whole document. */
  readonly whole: string;
}

interface Place {
  readonly root: Schema;
  readonly naming: Naming;
  readonly depth: number;
}

/** Turns JSON Schemas into types. What a type cannot say is left out, so that every valid value fits. */
export class SchemaTypes {
  readonly #max: number;
  #left: number;
  #isCut = false;
  readonly #named = new Map<unknown, NamedType>();
  /** The bodies of named types that are still to be made: a chain of them may be long. */
  readonly #pending: (() => void)[] = [];

  /** @param options.maxSchemas how many schemas become types at most; the rest is `unknown`. */
  constructor({ maxSchemas }: { readonly maxSchemas: number }) {
    this.#max = maxSchemas;
    this.#left = maxSchemas;
  }

  /** How many schemas became types. */
  get used(): number {
    return this.#max - this.#left;
  }

  /** Whether there was more than may be. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** The definitions that were referred to. */
  get named(): readonly NamedType[] {
    return [...this.#named.values()];
  }

  /** The type of all that fits the schema. */
  typeOf(schema: unknown, naming: Naming): TypeNode {
    const type = this.#typeOf(schema, { root: asSchema(schema), naming, depth: 0 });
    for (let make = this.#pending.pop(); make !== undefined; make = this.#pending.pop()) make();
    return type;
  }

  #typeOf(schema: unknown, place: Place): TypeNode {
    if (schema === false) return unionOf([]);
    if (!isJsonObject(schema)) return UNKNOWN;
    if (this.#left <= 0 || place.depth > maxDepth) return this.#cut();
    this.#left -= 1;
    const root = isDocument(schema) ? schema : place.root;
    const inner = { ...place, root, depth: place.depth + 1 };
    const { allOf, anyOf, oneOf, $ref } = schema;
    const parts = [this.#ownType(schema, inner)];
    if (typeof $ref === 'string') parts.push(this.#referredType($ref, inner));
    for (const part of listOf(allOf)) parts.push(this.#typeOf(part, inner));
    for (const choices of [anyOf, oneOf]) {
      if (!Array.isArray(choices) || choices.length === 0) continue;
      parts.push(unionOf(choices.map((choice) => this.#typeOf(choice, inner))));
    }
    const type = intersectionOf(parts);
    return schema['nullable'] === true ? unionOf([type, NULL]) : type;
  }

  /** What the keywords say that stand beside references and alternatives. */
  #ownType(schema: Schema, place: Place): TypeNode {
    const names = typeNames(schema);
    const values = Array.isArray(schema['enum'])
      ? (schema['enum'] as unknown[])
      : 'const' in schema
        ? [schema['const']]
        : undefined;
    if (values !== undefined && values.length <= maxValues) {
      const fitting = values.filter((value) => names?.some((name) => isOf(name, value)) ?? true);
      return unionOf(fitting.map((value) => literalType(value)));
    }
    return names === undefined
      ? UNKNOWN
      : unionOf(names.map((name) => this.#plainType(name, schema, place)));
  }

  #plainType(name: string, schema: Schema, place: Place): TypeNode {
    switch (name) {
      case 'string':
      case 'boolean':
        return { kind: 'word', text: name };
      case 'number':
      case 'integer':
        return { kind: 'word', text: 'number' };
      case 'null':
        return NULL;
      case 'array':
        return this.#arrayType(schema, place);
      case 'object':
        return this.#objectType(schema, place);
      default:
        return UNKNOWN;
    }
  }

  #arrayType(schema: Schema, place: Place): TypeNode {
    const tuple = tupleOf(schema, (item) => this.#typeOf(item, place));
    return tuple ?? { kind: 'array', items: this.#typeOf(schema['items'] ?? true, place) };
  }

  #objectType(schema: Schema, place: Place): TypeNode {
    const properties = asSchema(schema['properties']);
    const required = new Set(requiredNames(schema));
    const names = [...new Set([...Object.keys(properties), ...required])];
    const members: Member[] = [];
    for (const name of names) {
      if (this.#left <= 0) break;
      const own = Object.hasOwn(properties, name) ? properties[name] : {};
      members.push({
        name,
        type: this.#typeOf(own, place),
        isOptional: !required.has(name),
        comment: remarksOf(own),
      });
    }
    if (members.length < names.length) {
      return { kind: 'object', members, others: { type: this.#cut(), comment: [] } };
    }
    const others = this.#othersOf(schema, members, place);
    return { kind: 'object', members, ...(others !== undefined && { others }) };
  }

  /**
   * What members are that have no schema of their own. Where the schema says nothing of them, they are
   * allowed and not told of: a name that is wrong is to be found.
   */
  #othersOf(schema: Schema, members: readonly Member[], place: Place): ObjectNode['others'] {
    const { additionalProperties: additional = schema['unevaluatedProperties'] } = schema;
    const patterns = Object.entries(asSchema(schema['patternProperties']));
    const hasPatterns = patterns.length > 0;
    if (additional === false && !hasPatterns) return undefined;
    if (additional === undefined && !hasPatterns) {
      return members.length === 0 ? { type: UNKNOWN, comment: [] } : undefined;
    }
    const own = unionOf([
      this.#typeOf(additional ?? true, place),
      ...patterns.map(([, pattern]) => this.#typeOf(pattern, place)),
    ]);
    const comment = patterns
      .slice(0, maxPatterns)
      .flatMap(([pattern, about]) => remarksOf(about, { before: `Names that match ${pattern}:` }));
    // The type of all members has to hold for those that have a type, too.
    const optional: TypeNode[] = members.some(({ isOptional }) => isOptional) ? [UNDEFINED] : [];
    const canBeTold = members.every(({ type }) => isShort(type));
    const type = canBeTold
      ? unionOf([own, ...members.map((member) => member.type), ...optional])
      : UNKNOWN;
    return { type: members.length === 0 ? own : type, comment };
  }

  #referredType(reference: string, place: Place): TypeNode {
    const referred = resolveReference(reference, place.root);
    if (referred === undefined) return UNKNOWN;
    if (!isJsonObject(referred.schema)) return this.#typeOf(referred.schema, place);
    const known = this.#named.get(referred.schema);
    if (known !== undefined) return { kind: 'named', type: known };
    if (this.#named.size >= maxNamed) return this.#cut();
    const type = this.#newType(referred, { reference, naming: place.naming });
    return { kind: 'named', type };
  }

  #newType(
    { schema, root, name }: Referred,
    { reference, naming }: { reference: string; naming: Naming },
  ): NamedType {
    const wanted = name === '' ? naming.whole : `${naming.prefix}${pascalCase(name)}`;
    const type: NamedType = {
      wanted,
      seed: `${wanted}\0${reference}`,
      name: wanted,
      body: UNKNOWN,
      comment: remarksOf(schema),
    };
    this.#named.set(schema, type);
    this.#pending.push(() => {
      type.body = this.#typeOf(schema, { root, naming, depth: 0 });
    });
    return type;
  }

  #cut(): TypeNode {
    this.#isCut = true;
    return UNKNOWN;
  }
}

const NULL: TypeNode = { kind: 'literal', value: null };
const UNDEFINED: TypeNode = { kind: 'word', text: 'undefined' };

/** A name of whatever kind as one of a type; empty where nothing of it can be in one. */
export function pascalCase(name: string): string {
  const words = name.slice(0, 200).match(/[A-Za-z0-9]+/g) ?? [];
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

/** The types that a schema names or, without a name, implies; `undefined` where it may be anything. */
function typeNames(schema: Schema): readonly string[] | undefined {
  const { type } = schema;
  if (typeof type === 'string') return [type];
  if (Array.isArray(type)) return type.filter((name) => typeof name === 'string');
  if (['properties', 'required', 'additionalProperties', 'patternProperties'].some(isIn(schema)))
    return ['object'];
  return ['items', 'prefixItems'].some(isIn(schema)) ? ['array'] : undefined;
}

function isIn(schema: Schema): (keyword: string) => boolean {
  return (keyword) => keyword in schema;
}

function isOf(type: string, value: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isJsonObject(value);
  return type === 'integer' ? Number.isInteger(value) : typeof value === type;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
