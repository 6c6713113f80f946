import type { Tool } from '@longwire/client';
import { createGlob } from '@longwire/client/internal';
import { findTool } from '../arguments/tool-arguments.js';
import { usageError } from '../command-error.js';

/**
 * The tools that words name: each a name, or a pattern with `*`, `?`, `[a-z]` or `{a,b}`. In the order of
 * the server, each once.
 *
 * @throws LongwireError with code `unknown-tool` for a word that none has.
 */
export function selectTools(tools: readonly Tool[], words: readonly string[]): Tool[] {
  const chosen = new Set<Tool>();
  for (const word of words) {
    const matches = isPattern(word, tools) ? createGlob(word) : undefined;
    const found =
      matches === undefined
        ? [findTool(word, tools)]
        : tools.filter(({ name }) => name === word || matches(name));
    if (found.length === 0) {
      throw usageError(`the server has no tool that matches "${word}"`, { code: 'unknown-tool' });
    }
    for (const tool of found) chosen.add(tool);
  }
  return tools.filter((tool) => chosen.has(tool));
}

/** Whether a word is a pattern, and no tool has it as its name. */
export function isPattern(word: string, tools: readonly Tool[]): boolean {
  return /[*?[{]/.test(word) && !tools.some(({ name }) => name === word);
}
