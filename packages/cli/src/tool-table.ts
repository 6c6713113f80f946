import type { Tool } from '@longwire/client';
import { asSchema, describeType, inputSchema, requiredNames } from './arguments/schema.js';
import { sanitizeLine } from './sanitize.js';
import { renderTable } from './table.js';
import type { Terminal } from './terminal.js';

/** A description may be a manual; its first line is what a list has room for. */
const maxDescriptionLength = 200;

/** Tools as a table: name, what it does, its arguments, those required marked with `*`. */
export function toolTable(tools: readonly Tool[], terminal: Terminal): string {
  const rows = tools.map((tool) => [
    sanitizeLine(tool.name),
    firstLine(tool.description ?? tool.title),
    describeArguments(tool),
  ]);
  return renderTable(['tool', 'what it does', 'arguments (* required)'], rows, terminal);
}

/** `message*: string, count: integer` */
export function describeArguments(tool: Tool): string {
  const root = inputSchema(tool.inputSchema);
  const properties = asSchema(root['properties']);
  const required = new Set(requiredNames(root));
  const names = new Set([...Object.keys(properties), ...required]);
  return [...names]
    .map((name) => {
      const type = describeType(properties[name], root);
      return sanitizeLine(`${name}${required.has(name) ? '*' : ''}: ${type}`, 80);
    })
    .join(', ');
}

/** The first line of a description. */
export function firstLine(text: unknown): string {
  if (typeof text !== 'string') return '';
  return sanitizeLine(text.trim().split('\n')[0] ?? '', maxDescriptionLength);
}
