import type { Tool } from '@longwire/client';
import { asSchema, inputSchema } from '../arguments/schema.js';
import { isJsonObject } from '../json-object.js';
import { sanitizeLine } from '../sanitize.js';
import type { Terminal } from '../terminal.js';
import { exampleCall } from './example-call.js';
import { hintWords } from './hints.js';
import { INDENT, Layout } from './layout.js';
import { schemaTree, type SchemaNode } from './schema-tree.js';

/**
 * All about one tool, as lines: what it does, what its server says of it, its arguments and its result as
 * trees, and a call to copy. `callOf` gives the whole call for the words of its arguments.
 */
export async function toolPage(
  tool: Tool,
  { colors, width }: Pick<Terminal, 'colors' | 'width'>,
  callOf: (words: readonly string[]) => string,
): Promise<string[]> {
  const layout = new Layout(width);
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
    ...layout.text(tool.description, 0),
    ...(hints.length === 0 ? [] : ['', ...layout.hanging(said, 0)]),
    ...(input.length === 0
      ? section(`It ${takesNone ? 'takes' : 'names'} no arguments.`, [])
      : section('Arguments (* required)', treeLines(input, layout, colors))),
  ];
  if (isJsonObject(tool.outputSchema)) {
    const output = schemaTree(asSchema(tool.outputSchema));
    page.push(...section('Result', treeLines(output, layout, colors)));
  }
  const example = await exampleCall(tool);
  // What cannot be typed cannot be copied.
  if (example === undefined || name !== tool.name) return page;
  const heading = example.fits ? 'A call' : 'A call, with values to be replaced';
  return [...page, ...section(heading, [`  ${callOf(example.words)}`])];
}

function treeLines(
  nodes: readonly SchemaNode[],
  layout: Layout,
  colors: Terminal['colors'],
): string[] {
  return nodes.flatMap(({ depth, name, type, description }) => {
    const left = 2 + 2 * depth;
    const head = name === '' ? type : `${colors.cyan(name)}: ${type}`;
    const below = layout.text(description, left + INDENT);
    return [...layout.hanging(head, left), ...below.map((line) => colors.dim(line))];
  });
}
