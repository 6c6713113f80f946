import type { Tool } from '@modelcontextprotocol/client';
import type { Member } from './member.js';
import { assignToolNames } from './tool-names.js';
import type { SelectedTool } from './types.js';

/** A tool of a group, and where it is called. */
export interface IndexedTool {
  member: Member;
  selected: SelectedTool;
  /** As the group shows it. */
  tool: Tool;
}

/**
 * The tools of all servers by the names that the group shows. Servers that are away keep theirs:
 * no tool changes its name because another comes or goes with its server.
 */
export class ToolIndex {
  readonly #byName = new Map<string, IndexedTool>();
  readonly #byMember = new Map<Member, Tool[]>();
  /** `server__tool` where the tool is shown otherwise; `undefined` where that is two tools. */
  readonly #aliases = new Map<string, IndexedTool | undefined>();

  constructor(members: readonly Member[]) {
    const names = assignToolNames(
      members.map(({ prefix, tools }) => ({ prefix, tools: tools.map(({ tool }) => tool.name) })),
    );
    members.forEach((member, at) => {
      const shown = member.tools.map((selected, index) => {
        const name = names[at]?.[index] ?? selected.tool.name;
        const tool = { ...selected.tool, name };
        const entry = { member, selected, tool };
        this.#byName.set(name, entry);
        const alias = `${member.name}__${selected.tool.name}`;
        this.#aliases.set(alias, this.#aliases.has(alias) ? undefined : entry);
        return tool;
      });
      this.#byMember.set(member, shown);
    });
  }

  /** The tool of this name, or the one that the name of its server and its own say. */
  find(name: string): IndexedTool | undefined {
    return this.#byName.get(name) ?? this.#aliases.get(name);
  }

  /** What the group shows of a server. */
  toolsOf(member: Member): readonly Tool[] {
    return this.#byMember.get(member) ?? [];
  }

  /** All names. */
  names(): string[] {
    return [...this.#byName.keys()];
  }
}
