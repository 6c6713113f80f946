import type { Tool } from '@modelcontextprotocol/client';
import { LongwireError } from '../errors.js';
import { shortName } from '../nearest.js';
import { createGlob } from '../untrusted/glob.js';
import { checkPatterns } from './name-patterns.js';
import type { SelectedTool, ToolOverride, ToolSelection } from './types.js';
import { checkGroup } from '../options/checks.js';

/** Makes of a server's list what a group shows of it. What is wrong with the list is reported. */
export type ToolSelector = (
  tools: readonly Tool[],
  report: (error: LongwireError) => void,
) => SelectedTool[];

/** Whether a selection has a tool of this name. */
export function toolFilter({
  include,
  exclude,
}: Pick<ToolSelection, 'include' | 'exclude'>): (name: string) => boolean {
  const isIncluded = include === undefined ? () => true : createGlob(include);
  const isExcluded = exclude === undefined ? () => false : createGlob(exclude);
  return (name) => isIncluded(name) && !isExcluded(name);
}

/** Reads a selection that was checked. */
export function toolSelector({ override = {}, ...selection }: ToolSelection): ToolSelector {
  const isSelected = toolFilter(selection);
  const overrides = new Map(Object.entries(override));
  return (listed, report) => {
    const tools = distinct(
      listed.filter(({ name }) => isSelected(name)),
      report,
    );
    const names = new Set(tools.map(({ name }) => name));
    return tools.map((tool) => {
      const own = overrides.get(tool.name);
      if (own === undefined) {
        const { name: original } = tool;
        return { tool, listed: tool, original, annotations: undefined, isIdempotent: false };
      }
      return overridden(tool, own, names, report);
    });
  };
}

/** A name can be called only once, whatever the server lists. */
function distinct(tools: readonly Tool[], report: (error: LongwireError) => void): Tool[] {
  const byName = new Map<string, Tool>();
  for (const tool of tools) {
    if (byName.has(tool.name))
      report(listError(`the server lists two tools named ${shortName(tool.name)}`));
    else byName.set(tool.name, tool);
  }
  return [...byName.values()];
}

function overridden(
  tool: Tool,
  { name = tool.name, description, annotations }: ToolOverride,
  listed: ReadonlySet<string>,
  report: (error: LongwireError) => void,
): SelectedTool {
  const isTaken = name !== tool.name && listed.has(name);
  if (isTaken) {
    report(
      listError(
        `${shortName(tool.name)} is not shown as ${name}, because the server has such a tool`,
      ),
    );
  }
  return {
    tool: {
      ...tool,
      name: isTaken ? tool.name : name,
      ...(description !== undefined && { description }),
      ...(annotations !== undefined && { annotations: { ...tool.annotations, ...annotations } }),
    },
    listed: tool,
    original: tool.name,
    annotations,
    isIdempotent: annotations?.readOnlyHint === true || annotations?.idempotentHint === true,
  };
}

function listError(summary: string): LongwireError {
  return new LongwireError(summary, { code: 'protocol', certainty: 'answered' });
}

/**
 * Checks a selection.
 *
 * @throws TypeError that names the option.
 */
export function checkSelection(name: string, selection: ToolSelection | undefined): void {
  checkGroup(name, selection, ['include', 'exclude', 'override']);
  checkPatterns(`${name}.include`, selection?.include);
  checkPatterns(`${name}.exclude`, selection?.exclude);
  const { override } = selection ?? {};
  if (override === undefined) return;
  if (typeof override !== 'object' || override === null) {
    throw new TypeError(`${name}.override: not an object`);
  }
  const given = new Map<string, string>();
  for (const [tool, one] of Object.entries(override)) {
    const where = `${name}.override.${tool}`;
    checkGroup(where, one, ['name', 'description', 'annotations']);
    if (one?.name === undefined) continue;
    if (typeof one.name !== 'string' || one.name === '') {
      throw new TypeError(`${where}.name: not a string with something in it`);
    }
    const other = given.get(one.name);
    if (other !== undefined) {
      throw new TypeError(`${where}.name: ${other} is shown as ${one.name} already`);
    }
    given.set(one.name, tool);
  }
}
