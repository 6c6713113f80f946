import type { Tool } from '@modelcontextprotocol/client';
import type { ToolNames } from './tool-names.js';
import type { SelectedTool } from './types.js';

/** A server, and what it listed. */
export interface IndexedMember {
  readonly name: string;
  /** The prefix of its tools' names; none if empty. */
  readonly prefix: string;
  /** Its latest list, whether or not it is there now. */
  readonly tools: readonly SelectedTool[];
  /** Whether a tool of this name may be its own. */
  mayHave(tool: string): boolean;
}

/** A tool of a group, and where it is called. */
export interface IndexedTool<Member> {
  member: Member;
  selected: SelectedTool;
  /** As the group shows it. */
  tool: Tool;
}

/**
 * The tools of all servers by the names that the group shows. Servers that are down keep theirs: no
 * tool changes its name because another one comes or goes with its server.
 */
export class ToolIndex<Member extends IndexedMember> {
  readonly #members: readonly Member[];
  readonly #names: ToolNames<string>;
  readonly #byName = new Map<string, IndexedTool<Member>>();
  readonly #byMember = new Map<Member, IndexedTool<Member>[]>();

  /** `names` outlives the index: a name is one server's tool for as long as there is the group. */
  constructor(members: readonly Member[], names: ToolNames<string>) {
    this.#members = members;
    this.#names = names;
    const assigned = names.assign(
      members.map(({ name, prefix, tools }) => ({
        server: name,
        prefix,
        label: name,
        tools: tools.map(({ original, tool }) => ({ tool: original, name: tool.name })),
      })),
    );
    members.forEach((member, at) => {
      const shown = member.tools.map((selected, index) => {
        const name = assigned[at]?.[index] ?? selected.tool.name;
        const entry = { member, selected, tool: { ...selected.tool, name } };
        this.#byName.set(name, entry);
        return entry;
      });
      this.#byMember.set(member, shown);
    });
  }

  /** The tool that the group shows by this name. */
  shown(name: string): IndexedTool<Member> | undefined {
    return this.#byName.get(name);
  }

  /** The tool of this name, or the one that `server__tool` names. */
  find(name: string): IndexedTool<Member> | undefined {
    return this.#byName.get(name) ?? this.#findOwned(name) ?? this.#findAlias(name);
  }

  /** Which servers may have a tool of this name that they have not listed. */
  candidates(name: string): readonly Member[] {
    const owner = this.#names.ownerOf(name);
    return this.#members.filter((member) =>
      owner === undefined ? member.mayHave(name) : member.name === owner.server,
    );
  }

  /** What the group shows of a server. */
  toolsOf(member: Member): readonly Tool[] {
    return (this.#byMember.get(member) ?? []).map(({ tool }) => tool);
  }

  /** All names. */
  names(): string[] {
    return [...this.#byName.keys()];
  }

  /** A name that meant a tool once means that tool for good. */
  #findOwned(name: string): IndexedTool<Member> | undefined {
    const owner = this.#names.ownerOf(name);
    if (owner === undefined) return undefined;
    const member = this.#members.find((one) => one.name === owner.server);
    const entries = member === undefined ? undefined : this.#byMember.get(member);
    return entries?.find(({ selected }) => selected.original === owner.tool);
  }

  /** `server__tool` where the tool is shown otherwise; of several servers the longest name has it. */
  #findAlias(name: string): IndexedTool<Member> | undefined {
    if (this.#names.ownerOf(name) !== undefined) return undefined;
    const [member] = this.#members
      .filter((one) => name.startsWith(`${one.name}__`))
      .sort((a, b) => b.name.length - a.name.length);
    if (member === undefined) return undefined;
    const tool = name.slice(member.name.length + 2);
    const found = this.#byMember.get(member)?.find(({ selected }) => selected.tool.name === tool);
    if (found === undefined) return undefined;
    this.#names.bind(name, { server: member.name, tool: found.selected.original });
    return found;
  }
}
