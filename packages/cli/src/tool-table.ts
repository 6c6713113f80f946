import type { Tool } from '@longwire/client';
import { asSchema, describeType, inputSchema, requiredNames } from './arguments/schema.js';
import { markOf } from './describe/hints.js';
import { sanitizeLine } from './sanitize.js';
import { renderTable } from './table.js';
import type { Terminal } from './terminal.js';

/** The most characters of the first line of a description. */
const maxDescriptionLength = 200;

/** The most characters of a name. */
const maxNameLength = 256;

/** The most characters of the list of a tool's arguments, which ends with the number of the others. */
const maxArgumentsLength = 1500;

/**
 * Tools as a table: name, what it does (and whether the server says that it only reads, or destroys), its
 * arguments, those required marked with `*`.
 */
export function toolTable(tools: readonly Tool[], terminal: Terminal): string {
  const rows = tools.map((tool) => [
    sanitizeLine(tool.name, maxNameLength),
    `${colored(markOf(tool), terminal)} ${firstLine(tool.description ?? tool.title)}`.trim(),
    describeArguments(tool),
  ]);
  return renderTable(['tool', 'what it does', 'arguments (* required)'], rows, terminal);
}

function colored(mark: string, { colors }: Terminal): string {
  return mark === '[destructive]' ? colors.yellow(mark) : mark && colors.dim(mark);
}

/** `message*: string, count: integer` */
export function describeArguments(tool: Tool): string {
  const root = inputSchema(tool.inputSchema);
  const properties = asSchema(root['properties']);
  const required = new Set(requiredNames(root));
  const names = [...new Set([...Object.keys(properties), ...required])];
  const shown: string[] = [];
  let length = 0;
  for (const name of names) {
    if (length > maxArgumentsLength) break;
    const type = describeType(properties[name], root);
    const argument = sanitizeLine(`${name}${required.has(name) ? '*' : ''}: ${type}`, 80);
    shown.push(argument);
    length += argument.length;
  }
  const more = names.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** The first line of a description. */
export function firstLine(text: unknown): string {
  if (typeof text !== 'string') return '';
  return sanitizeLine(text.trim().split('\n')[0] ?? '', maxDescriptionLength);
}
