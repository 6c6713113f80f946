import { taskOf } from './server-task.js';
import type { CallToolResult } from '@modelcontextprotocol/client';
import { Call, type SharedCallOptions } from '../client/call.js';
import { mayHaveHeaders } from '../client/principals.js';
import type { CallToolOptions, TaskHandle, ToolSource } from '../client/types.js';
import { UnderWay } from '../client/under-way.js';
import type { Principal } from '../connection/resolve-options.js';
import { Listing } from './listing.js';
import type { GroupMember } from './member.js';
import { ToolDirectory, type ListedMember } from './tool-directory.js';
import type { SelectedTool } from './types.js';

/** @throws TypeError for a source that knows no principals. */
export function checkPrincipals({ name, source }: Pick<GroupMember, 'name' | 'source'>): void {
  if (source.as !== undefined) return;
  throw new TypeError(
    `as: ${name} was given as a source of tools without a method as, so that it knows no principals: ` +
      'give the group a client or a pool instead',
  );
}

/** A server of a group as one principal: its list is that of the principal, and its calls are. */
export class PrincipalMember implements ListedMember {
  readonly member: GroupMember;
  readonly #principal: Principal;
  readonly #shared: SharedCallOptions;
  readonly #listing: Listing;

  constructor(
    member: GroupMember,
    principal: Principal,
    { shared, onListed }: { shared: SharedCallOptions; onListed: () => void },
  ) {
    this.member = member;
    this.#principal = principal;
    this.#shared = shared;
    this.#listing = new Listing({
      source: { listTools: async () => this.source.listTools() },
      select: (tools) => member.select(tools),
      onListed,
      onFailed: (error) => member.report(error),
    });
  }

  get name(): string {
    return this.member.name;
  }

  get prefix(): string {
    return this.member.prefix;
  }

  get tools(): readonly SelectedTool[] {
    return this.#listing.tools;
  }

  /**
   * Its source as the principal. Credentials go with it where the server is reached by HTTP.
   *
   * @throws TypeError for a source that knows no principals.
   */
  get source(): ToolSource {
    const { source } = this.member;
    const { id, credentials } = this.#principal;
    checkPrincipals(this.member);
    return (source as Required<ToolSource>).as(
      id,
      mayHaveHeaders(source) ? credentials.given : undefined,
    );
  }

  /** A server that the group cannot reach for itself may be there for a principal. */
  get isOffered(): boolean {
    return !this.member.isDisabled;
  }

  mayHave(tool: string): boolean {
    return this.member.mayHave(tool);
  }

  async freshen(ms: number, options: { signal?: AbortSignal }): Promise<void> {
    if (this.member.isDisabled) return;
    const { startedAt, done } = this.#listing.fetch();
    const timeoutMs = Math.max(1, startedAt + ms - performance.now());
    const call = new Call('tools/list', { ...options, timeoutMs }, this.#shared);
    await call.during(done).catch(() => {});
  }

  async seek(tool: string, options: CallToolOptions): Promise<void> {
    // It says that it is disabled.
    if (this.member.isDisabled) return this.member.seek(tool, options);
    const list = (): Promise<void> => this.#listing.fetched();
    await (this.member.breaker?.ask(`the call of ${tool}`, options, list) ?? list());
  }

  /** The list that is known may be old. */
  outdate(): void {
    this.#listing.outdate();
  }

  /** @throws TypeError for a source that has no tasks. */
  task(taskId: string): TaskHandle {
    return taskOf(this.source, taskId, this.member);
  }

  /** @throws LongwireError */
  call(
    selected: SelectedTool,
    call: { name: string; args: object; options: CallToolOptions },
  ): Promise<CallToolResult> {
    return this.member.call(selected, call, this.source);
  }
}

/** What the tools of a principal are made with. */
export interface PrincipalToolsOptions {
  /** What the group is called. */
  name: string;
  /** The servers of the group. */
  members: () => Iterable<GroupMember>;
  listMs: number;
  shared: SharedCallOptions;
}

/** The tools of a group as one principal sees them: what servers listed for it, and for nobody else. */
export class PrincipalTools {
  readonly directory: ToolDirectory<PrincipalMember>;
  readonly underWay: UnderWay;
  readonly #principal: Principal;
  readonly #options: PrincipalToolsOptions;
  readonly #members = new Map<GroupMember, PrincipalMember>();

  constructor(principal: Principal, options: PrincipalToolsOptions) {
    this.#principal = principal;
    this.#options = options;
    this.underWay = new UnderWay(() => options.name);
    this.directory = new ToolDirectory({ ...options, members: () => this.members() });
  }

  /** The servers that the group has now. */
  members(): PrincipalMember[] {
    const current = [...this.#options.members()];
    for (const known of this.#members.keys()) {
      if (!current.includes(known)) this.#members.delete(known);
    }
    return current.map((member) => {
      let own = this.#members.get(member);
      if (own === undefined) {
        own = new PrincipalMember(member, this.#principal, {
          shared: this.#options.shared,
          onListed: () => this.directory.outdate(),
        });
        this.#members.set(member, own);
        this.directory.outdate();
      }
      return own;
    });
  }

  /** Those of them that are not disabled. */
  get enabled(): PrincipalMember[] {
    return this.members().filter(({ isOffered }) => isOffered);
  }

  /** @throws LongwireError */
  async call(name: string, args: object, options: CallToolOptions): Promise<CallToolResult> {
    const { directory } = this;
    const { member, selected } = directory.find(name) ?? (await directory.seek(name, options));
    return member.call(selected, { name, args, options });
  }

  /** The sessions of the principal are its servers' clients', and end with those. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
