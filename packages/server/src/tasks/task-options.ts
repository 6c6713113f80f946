import { checkDurationMs, checkNames, checkObject } from '../check-options.js';
import { ToolPatterns } from '../limits/tool-patterns.js';

/** Whether calls of a tool are tasks: never, always, or where that helps and the client can take one. */
export type TaskSupport = 'forbidden' | 'optional' | 'required';

/** How calls of a tool become tasks. */
export interface TaskOptions {
  /**
   * `required`: every call is a task at once; a client that cannot take one is refused. `optional`: a
   * call becomes a task when it takes long or asks for input, if its client can take one; for others it is
   * an ordinary call. `forbidden`: never.
   */
  readonly task: TaskSupport;
  /** When an `optional` call of a client of 2026-07-28 becomes a task by itself. */
  readonly auto?: {
    /** After it has taken so long. `Infinity`: only when it asks for input. Default: 1 000. */
    readonly afterMs?: number;
  };
  /**
   * How long a task is kept after it was created, its result included; one that still runs then is
   * cancelled. `Infinity` for as long as the store keeps it. Default: 3 600 000 (1 hour).
   */
  readonly ttlMs?: number;
  /** How often clients are told to ask. Default: 1 000. */
  readonly pollIntervalMs?: number;
}

/**
 * Tasks by name of a tool, or by a pattern such as `export_*`; a word alone is the option `task`. A tool
 * has one setting at most, as with `queues`; without one it is `forbidden`. Default: no tasks.
 */
export type TasksOptions = Readonly<Record<string, TaskSupport | TaskOptions>>;

/** The options of one tool, checked and filled in. */
export interface ResolvedTaskOptions {
  readonly task: TaskSupport;
  readonly afterMs: number;
  /** `null` for no end, as the protocol has it. */
  readonly ttlMs: number | null;
  readonly pollIntervalMs: number;
}

/** Which tools have tasks. */
export class TaskRules {
  readonly #tools: ToolPatterns<ResolvedTaskOptions>;

  constructor(tools: Readonly<Record<string, ResolvedTaskOptions>>) {
    this.#tools = new ToolPatterns(tools);
  }

  /** The options of a tool whose calls may be tasks. */
  find(tool: string | undefined): ResolvedTaskOptions | undefined {
    const setting = tool === undefined ? undefined : this.#tools.find(tool)?.setting;
    return setting?.task === 'forbidden' ? undefined : setting;
  }
}

const NAMES = ['task', 'auto', 'ttlMs', 'pollIntervalMs'];
const WORDS: ReadonlySet<unknown> = new Set<TaskSupport>(['forbidden', 'optional', 'required']);

/**
 * Checks the option `tasks`.
 *
 * @returns `undefined` where no tool may have tasks.
 * @throws TypeError that names what is wrong.
 */
export function resolveTasks(options: TasksOptions | undefined): TaskRules | undefined {
  if (options === undefined) return undefined;
  const entries = Object.entries(checkObject('tasks', options));
  const tools = Object.fromEntries(entries.map(([tool, given]) => [tool, resolved(tool, given)]));
  const isEmpty = Object.values(tools).every(({ task }) => task === 'forbidden');
  return isEmpty ? undefined : new TaskRules(tools);
}

function resolved(tool: string, given: unknown): ResolvedTaskOptions {
  const name = `tasks[${JSON.stringify(tool)}]`;
  const {
    task,
    auto = {},
    ttlMs = 3_600_000,
    pollIntervalMs = 1_000,
  } = typeof given === 'object' && given !== null
    ? checkNames(name, given, NAMES)
    : { task: given };
  if (!WORDS.has(task)) {
    throw new TypeError(`${name} must be forbidden, optional or required, or an object with task`);
  }
  const { afterMs = 1_000 } = checkNames(`${name}.auto`, auto, ['afterMs']);
  const keptMs = checkDurationMs(`${name}.ttlMs`, ttlMs);
  if (pollIntervalMs === Infinity) {
    throw new TypeError(`${name}.pollIntervalMs must not be Infinity: clients would never ask`);
  }
  return {
    task: task as TaskSupport,
    afterMs: checkDurationMs(`${name}.auto.afterMs`, afterMs),
    ttlMs: keptMs === Infinity ? null : keptMs,
    pollIntervalMs: checkDurationMs(`${name}.pollIntervalMs`, pollIntervalMs),
  };
}
