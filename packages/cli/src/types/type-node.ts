import { visibleJson } from '../sanitize.js';
import { docComment } from './doc-comment.js';

/** A type of TypeScript. */
export type TypeNode =
  | { readonly kind: 'word'; readonly text: 'string' | 'number' | 'boolean' | 'undefined' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'never' }
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | ObjectNode
  | { readonly kind: 'array'; readonly items: TypeNode }
  | TupleNode
  | { readonly kind: 'union' | 'intersection'; readonly of: readonly TypeNode[] }
  | { readonly kind: 'named'; readonly type: NamedType };

/** `{ a: string; b?: number; [name: string]: unknown }` */
export interface ObjectNode {
  readonly kind: 'object';
  readonly members: readonly Member[];
  /** What every other member is; none where no other is meant to be there. */
  readonly others?: { readonly type: TypeNode; readonly comment: readonly string[] };
}

/** `[a: string, b?: number, ...unknown[]]` */
export interface TupleNode {
  readonly kind: 'tuple';
  readonly items: readonly { readonly type: TypeNode; readonly isOptional: boolean }[];
  readonly rest?: TypeNode;
}

/** A member of an object. */
export interface Member {
  readonly name: string;
  readonly type: TypeNode;
  readonly isOptional: boolean;
  /** The lines of its doc comment. */
  readonly comment: readonly string[];
}

/** A type that is declared under a name: it may hold itself. */
export interface NamedType {
  /** The name that it would have if it were alone. */
  readonly wanted: string;
  /** What it is by: of two that want one name, each gets another for good. */
  readonly seed: string;
  name: string;
  body: TypeNode;
  comment: readonly string[];
}

export const UNKNOWN: TypeNode = { kind: 'unknown' };
export const NEVER: TypeNode = { kind: 'never' };

/** Either of these. */
export function unionOf(types: readonly TypeNode[]): TypeNode {
  const parts = withoutRepeats(
    types.flatMap((type) => (type.kind === 'union' ? type.of : [type])),
  ).filter(({ kind }) => kind !== 'never');
  if (parts.some(({ kind }) => kind === 'unknown')) return UNKNOWN;
  const words = new Set(parts.map((part) => (part.kind === 'word' ? part.text : undefined)));
  const wide = parts.filter(
    (part) =>
      part.kind !== 'literal' || !words.has(typeof part.value as 'string' | 'number' | 'boolean'),
  );
  const [first = NEVER, second] = wide;
  return second === undefined ? first : { kind: 'union', of: wide };
}

/** All of these at once. */
export function intersectionOf(types: readonly TypeNode[]): TypeNode {
  const parts = withoutRepeats(
    types.flatMap((type) => (type.kind === 'intersection' ? type.of : [type])),
  ).filter(({ kind }) => kind !== 'unknown');
  if (parts.some(({ kind }) => kind === 'never')) return NEVER;
  // An object of which nothing is said would let any name pass.
  const objects = parts.filter(({ kind }) => kind === 'object' || kind === 'named');
  const told = objects.length > 1 ? parts.filter((part) => !isAnyObject(part)) : parts;
  const [first = parts[0] ?? UNKNOWN, second] = told;
  return second === undefined ? first : { kind: 'intersection', of: told };
}

/** Whether any object fits. */
export function isAnyObject(type: TypeNode): boolean {
  return (
    type.kind === 'object' && type.members.length === 0 && type.others?.type.kind === 'unknown'
  );
}

/** Whether it is written in a few characters, whatever it means. */
export function isShort(type: TypeNode): boolean {
  if (type.kind === 'array') return isShort(type.items);
  if (type.kind === 'union') return type.of.length <= 8 && type.of.every(isShort);
  return !['object', 'tuple', 'intersection'].includes(type.kind);
}

function withoutRepeats(types: readonly TypeNode[]): TypeNode[] {
  const seen = new Set<unknown>();
  return types.filter((type) => {
    const key = keyOf(type);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** The same for types that are surely the same. */
function keyOf(type: TypeNode): unknown {
  if (type.kind === 'named') return type.type;
  if (type.kind === 'literal') return `literal ${JSON.stringify(type.value)}`;
  if (type.kind === 'word') return type.text;
  return type.kind === 'unknown' || type.kind === 'never' ? type.kind : type;
}

/** How many characters a line of a union has at most. */
const maxLineLength = 80;

/** The text of a type; lines after the first begin with `indent`. */
export function printType(type: TypeNode, indent: string): string {
  switch (type.kind) {
    case 'word':
      return type.text;
    case 'unknown':
    case 'never':
      return type.kind;
    case 'literal':
      return visibleJson(type.value);
    case 'named':
      return type.type.name;
    case 'array':
      return `${printPart(type.items, indent)}[]`;
    case 'tuple':
      return printTuple(type, indent);
    case 'object':
      return printObject(type, indent);
    case 'intersection':
      return type.of.map((part) => printPart(part, indent)).join(' & ');
    case 'union': {
      const line = type.of.map((part) => printUnionPart(part, indent)).join(' | ');
      if (line.length <= maxLineLength || line.includes('\n')) return line;
      const inner = `${indent}  `;
      return type.of.map((part) => `\n${inner}| ${printUnionPart(part, inner)}`).join('');
    }
  }
}

/** The members of an object or an interface, one after the other. */
export function printMembers(members: readonly Member[], indent: string): string {
  return members
    .map(({ name, type, isOptional, comment }) => {
      const text = printType(type, indent);
      const space = text.startsWith('\n') ? '' : ' ';
      const head = `${docComment(comment, indent)}${indent}${propertyName(name)}`;
      return `${head}${isOptional ? '?' : ''}:${space}${text};\n`;
    })
    .join('');
}

/** A name of a property: in quotes where it is no plain word. */
export function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : visibleJson(name);
}

function printObject({ members, others }: ObjectNode, indent: string): string {
  if (members.length === 0 && others === undefined) return '{}';
  const inner = `${indent}  `;
  const last =
    others === undefined
      ? ''
      : `${docComment(others.comment, inner)}${inner}[name: string]: ${printType(others.type, inner)};\n`;
  if (members.length === 0 && others?.comment.length === 0 && !last.trim().includes('\n')) {
    return `{ ${last.trim().slice(0, -1)} }`;
  }
  return `{\n${printMembers(members, inner)}${last}${indent}}`;
}

function printTuple({ items, rest }: TupleNode, indent: string): string {
  const written = items.map(({ type, isOptional }) =>
    isOptional ? `${printPart(type, indent)}?` : printType(type, indent),
  );
  if (rest !== undefined) written.push(`...${printPart(rest, indent)}[]`);
  return `[${written.join(', ')}]`;
}

/** In parentheses, where more than one thing is written. */
function printPart(type: TypeNode, indent: string): string {
  const text = printType(type, indent);
  return type.kind === 'union' || type.kind === 'intersection' ? `(${text})` : text;
}

function printUnionPart(type: TypeNode, indent: string): string {
  return type.kind === 'intersection' ? `(${printType(type, indent)})` : printType(type, indent);
}
