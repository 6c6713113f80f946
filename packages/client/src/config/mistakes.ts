import type { Located, PartProblem } from './document.js';
import { addIssues } from './issues.js';
import { Problems, type Source } from './problems.js';
import type { SchemaIssue } from './schema-problems.js';

/**
 * Mistakes in a file, by the server that they are in: a mistake in one server does not make the
 * others unusable. Paths are those of a `longwire.json`.
 */
export class Mistakes {
  readonly #source: Source;
  readonly #profile: string | undefined;
  readonly #isLenient: boolean;
  readonly #ofServers = new Map<string, Problems>();
  readonly #ofOtherProfiles: Problems;
  /** What is wrong with the file itself. */
  readonly ofFile: Problems;

  /** If lenient, a mistake in a profile that is not used is a remark; else it is one of the file. */
  constructor(source: Source, options: { profile: string | undefined; isLenient: boolean }) {
    this.#source = source;
    this.#profile = options.profile;
    this.#isLenient = options.isLenient;
    this.ofFile = new Problems(source);
    this.#ofOtherProfiles = new Problems(source);
  }

  /** Adds what the schema found wrong, and what reading found wrong. */
  add(document: Located, issues: readonly SchemaIssue[], problems: readonly PartProblem[]): void {
    // All of one server together: one mistake may explain another.
    const sorted = new Map<Problems, SchemaIssue[]>();
    for (const issue of issues) {
      const owner = this.#problemsOf(issue.path);
      const others = sorted.get(owner);
      if (others === undefined) sorted.set(owner, [issue]);
      else others.push(issue);
    }
    for (const [owner, own] of sorted) addIssues(document, own, owner);
    for (const { path, offset, message } of problems) this.#problemsOf(path).add(offset, message);
  }

  /** What is wrong in a server; `undefined` where nothing is. */
  of(name: string): Problems | undefined {
    return this.#ofServers.get(name);
  }

  /** Mistakes that do no harm now. */
  remarks(): string[] {
    const error = this.#ofOtherProfiles.error();
    return error === undefined ? [] : [error.message];
  }

  #problemsOf(path: readonly PropertyKey[]): Problems {
    const [first, second, third, fourth] = path.map(String);
    // No server can have this name.
    if (path.includes('__proto__')) return this.ofFile;
    if (first === 'servers' && second !== undefined) return this.#problemsOfServer(second);
    const isServer = first === 'profiles' && third === 'servers' && fourth !== undefined;
    if (!isServer) return this.ofFile;
    if (second === this.#profile) return this.#problemsOfServer(fourth);
    return this.#isLenient ? this.#ofOtherProfiles : this.ofFile;
  }

  #problemsOfServer(name: string): Problems {
    const problems = this.#ofServers.get(name) ?? new Problems(this.#source);
    this.#ofServers.set(name, problems);
    return problems;
  }
}
