import type { Tool } from '@modelcontextprotocol/client';
import { Call, type SharedCallOptions } from '../client/call.js';
import { reportable } from '../client/sdk-errors.js';
import type { OperationOptions } from '../client/types.js';
import { LongwireError } from '../errors.js';
import { nearest } from '../nearest.js';
import { ToolIndex, type IndexedMember, type IndexedTool } from './tool-index.js';
import { ToolNames } from './tool-names.js';

/** A server whose tools are listed. */
export interface ListedMember extends IndexedMember {
  /** Whether the group has its tools now. */
  readonly isOffered: boolean;
  /** Fetches its list, and waits for it so many milliseconds at most. Never rejects. */
  freshen(ms: number, options: { signal?: AbortSignal }): Promise<void>;
  /**
   * Fetches its list for one of its tools.
   *
   * @throws LongwireError
   */
  seek(tool: string, options: OperationOptions): Promise<void>;
}

/** What a directory is made with. */
export interface ToolDirectoryOptions<Member> {
  /** The servers, in the order in which they were added. */
  members: () => Iterable<Member>;
  /** How long a list of all tools waits for one server, in milliseconds. */
  listMs: number;
  shared: SharedCallOptions;
}

/** The tools of all servers, under the names that the group gives them. */
export class ToolDirectory<Member extends ListedMember> {
  readonly #options: ToolDirectoryOptions<Member>;
  readonly #names = new ToolNames<string>();
  /** Made when it is asked for, as long as no list changes. */
  #index: ToolIndex<Member> | undefined;

  constructor(options: ToolDirectoryOptions<Member>) {
    this.#options = options;
  }

  /** A server has a new list, or came, or went. */
  outdate(): void {
    this.#index = undefined;
  }

  /** The tool that the group shows by this name. */
  shown(name: string): IndexedTool<Member> | undefined {
    return this.#current.shown(name);
  }

  /** The tool of this name, or the one that `server__tool` names. */
  find(name: string): IndexedTool<Member> | undefined {
    return this.#current.find(name);
  }

  /**
   * All tools of the servers that are there, those anew that are listed in time.
   *
   * @throws LongwireError `aborted`.
   */
  async list(options: OperationOptions): Promise<Tool[]> {
    const { signal, timeoutMs = Infinity, deadlineMs = Infinity } = options;
    const ms = Math.min(this.#options.listMs, timeoutMs, deadlineMs);
    const members = [...this.#options.members()];
    const ended = signal === undefined ? {} : { signal };
    await this.#within('tools/list', ended, () =>
      Promise.all(members.map((member) => member.freshen(ms, ended))),
    );
    const index = this.#current;
    return members.filter(({ isOffered }) => isOffered).flatMap((member) => index.toolsOf(member));
  }

  /**
   * Asks the servers whose tool it can be, where it is not known.
   *
   * @throws LongwireError; `unknown-tool` names the nearest.
   */
  async seek(name: string, options: OperationOptions): Promise<IndexedTool<Member>> {
    const members = this.#current.candidates(name);
    const failures: unknown[] = [];
    await this.#within(`the call of ${name}`, options, async () => {
      for (const sought of await Promise.allSettled(
        members.map((one) => one.seek(name, options)),
      )) {
        if (sought.status === 'rejected') failures.push(sought.reason);
      }
    });
    const index = this.#current;
    const found = index.find(name);
    if (found !== undefined) return found;
    const [failure] = failures;
    if (failure !== undefined) throw reportable(failure);
    const meant = nearest(name, index.names());
    throw new LongwireError(`there is no tool ${name} in this group`, {
      code: 'unknown-tool',
      certainty: 'not-sent',
      ...(meant.length > 0 && { hint: `did you mean ${meant.join(', ')}?` }),
    });
  }

  get #current(): ToolIndex<Member> {
    this.#index ??= new ToolIndex([...this.#options.members()], this.#names);
    return this.#index;
  }

  #within<T>(what: string, options: OperationOptions, run: () => Promise<T>): Promise<T> {
    return new Call(what, options, this.#options.shared).during(run());
  }
}
