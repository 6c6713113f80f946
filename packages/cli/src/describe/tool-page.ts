import type { Tool } from '@longwire/client';
import { asSchema, inputSchema } from '../arguments/schema.js';
import { displayWidth, wrap } from '../display-width.js';
import { isJsonObject } from '../json-object.js';
import { sanitize, sanitizeLine } from '../sanitize.js';
import type { Terminal } from '../terminal.js';
import { exampleCall } from './example-call.js';
import { hintWords } from './hints.js';
import { schemaTree, type SchemaNode } from './schema-tree.js';

/** How much of a description is laid out; what is longer is shown as it came. */
const maxWrappedLength = 50_000;

/** How far what belongs to a line is moved to the right of it. */
const indent = 4;

/**
 * All about one tool: what it does, what its server says of it, its arguments and its result as trees,
 * and a call to copy. `callOf` gives the whole call for the words of its arguments.
 */
export async function printToolPage(
  terminal: Pick<Terminal, 'print' | 'colors' | 'width'>,
  tool: Tool,
  callOf: (words: readonly string[]) => string,
): Promise<void> {
  const { colors } = terminal;
  const section = (title: string, lines: readonly string[]): void => {
    terminal.print();
    terminal.print(colors.bold(title));
    for (const line of lines) terminal.print(line);
  };
  const name = sanitizeLine(tool.name, 256);
  const title = sanitizeLine(tool.title ?? tool.annotations?.title ?? '', 256);
  terminal.print(`${colors.bold(name)}${title === '' || title === name ? '' : `: ${title}`}`);
  const { description } = tool;
  for (const line of laidOut(description, terminal.width, 0)) terminal.print(line);
  const hints = hintWords(tool);
  if (hints.length > 0) {
    terminal.print();
    terminal.print(`${colors.dim('The server says:')} ${hints.join(', ')}.`);
  }
  const root = inputSchema(tool.inputSchema);
  const input = schemaTree({ ...root, type: 'object' }, root);
  const takesNone = root['additionalProperties'] === false;
  if (input.length === 0) section(`It ${takesNone ? 'takes' : 'names'} no arguments.`, []);
  else section('Arguments (* required)', treeLines(input, terminal));
  if (isJsonObject(tool.outputSchema)) {
    section('Result', treeLines(schemaTree(asSchema(tool.outputSchema)), terminal));
  }
  const example = await exampleCall(tool);
  // What cannot be typed cannot be copied.
  if (example === undefined || name !== tool.name) return;
  section(example.fits ? 'A call' : 'A call, with values to be replaced', [
    `  ${callOf(example.words)}`,
  ]);
}

function treeLines(
  nodes: readonly SchemaNode[],
  { colors, width }: Pick<Terminal, 'colors' | 'width'>,
): string[] {
  return nodes.flatMap(({ depth, name, type, description }) => {
    const left = 2 + 2 * depth;
    const head = name === '' ? type : `${colors.cyan(name)}: ${type}`;
    return [
      ...hanging(head, width, left),
      ...laidOut(description, width, left + indent).map((line) => colors.dim(line)),
    ];
  });
}

/** A line that goes on further to the right where it is too long. */
function hanging(line: string, width: number | undefined, left: number): string[] {
  const [first = '', ...rest] = wrapped(line, width, left);
  const more = rest.length === 0 ? [] : wrapped(rest.join(' '), width, left + indent);
  return [' '.repeat(left) + first, ...more.map((each) => ' '.repeat(left + indent) + each)];
}

/** Text of a server with its own lines, moved to the right. */
function laidOut(text: unknown, width: number | undefined, left: number): string[] {
  if (typeof text !== 'string' || text.trim() === '') return [];
  const lines = sanitize(text).trim().split('\n');
  const isShort = text.length <= maxWrappedLength;
  return lines
    .flatMap((line) => (isShort ? wrapped(line.trimEnd(), width, left) : [line]))
    .map((line) => (line === '' ? '' : ' '.repeat(left) + line));
}

function wrapped(line: string, width: number | undefined, left: number): string[] {
  const room = width === undefined ? undefined : Math.max(20, width - left);
  return room === undefined || displayWidth(line) <= room ? [line] : wrap(line, room);
}
