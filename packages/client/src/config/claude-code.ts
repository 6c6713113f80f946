import { dirname } from 'node:path';
import { memberOf, type Located } from './document.js';

/**
 * What Claude Code's own file says of a project: that of the directory, else of the nearest around it.
 * https://code.claude.com/docs/en/mcp
 */
export function projectIn(root: Located, directory: string | undefined): Located | undefined {
  const projects = memberOf(root, 'projects')?.value;
  if (projects?.kind !== 'object' || directory === undefined) return undefined;
  for (let at = directory; ; at = dirname(at)) {
    const project = projects.members.get(at) ?? projects.members.get(at.replaceAll('\\', '/'));
    if (project !== undefined) return project.value;
    if (at === dirname(at)) return undefined;
  }
}
