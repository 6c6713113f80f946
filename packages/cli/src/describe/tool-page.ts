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
 * All about one tool, as lines: what it does, what its server says of it, its arguments and its result as
 * trees, and a call to copy. `callOf` gives the whole call for the words of its arguments.
 */
export async function toolPage(
  tool: Tool,
  { colors, width }: Pick<Terminal, 'colors' | 'width'>,
  callOf: (words: readonly string[]) => string,
): Promise<string[]> {
  const section = (heading: string, lines: readonly string[]): string[] => [
    '',
    colors.bold(heading),
    ...lines,
  ];
  const name = sanitizeLine(tool.name, 256);
  const title = sanitizeLine(tool.title ?? tool.annotations?.title ?? '', 256);
  const hints = hintWords(tool);
  const said = `${colors.dim('The server says:')} ${hints.join(', ')}.`;
  const root = inputSchema(tool.inputSchema);
  const input = schemaTree({ ...root, type: 'object' }, root);
  const takesNone = root['additionalProperties'] === false;
  const page = [
    `${colors.bold(name)}${title === '' || title === name ? '' : `: ${title}`}`,
    ...laidOut(tool.description, width, 0),
    ...(hints.length === 0 ? [] : ['', ...hanging(said, width, 0)]),
    ...(input.length === 0
      ? section(`It ${takesNone ? 'takes' : 'names'} no arguments.`, [])
      : section('Arguments (* required)', treeLines(input, { colors, width }))),
  ];
  if (isJsonObject(tool.outputSchema)) {
    const output = schemaTree(asSchema(tool.outputSchema));
    page.push(...section('Result', treeLines(output, { colors, width })));
  }
  const example = await exampleCall(tool);
  // What cannot be typed cannot be copied.
  if (example === undefined || name !== tool.name) return page;
  const heading = example.fits ? 'A call' : 'A call, with values to be replaced';
  return [...page, ...section(heading, [`  ${callOf(example.words)}`])];
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
