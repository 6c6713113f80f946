import type { StreamableMischief } from '../../../../test/support/streamable-fixture.ts';
import { discovered } from '../../../../test/support/streamable-rules.ts';
import { RpcRefusal, type RpcMessage } from '../../../../test/support/strict-mcp-session.ts';

/** The extension, as its specification names it. */
export const EXTENSION = 'io.modelcontextprotocol/tasks';

/** A task of a scripted server: a test says how it is. */
export class ScriptedTask {
  readonly taskId: string;
  /** As `tasks/get` answers. */
  said: Record<string, unknown>;
  /** The answers to what it asked for, in the order in which they came. */
  readonly updates: Record<string, unknown>[] = [];
  cancels = 0;
  #changes = 0;

  constructor(taskId: string, said: Record<string, unknown>) {
    this.taskId = taskId;
    this.said = {
      taskId,
      status: 'working',
      createdAt: '2026-01-01T00:00:00.000Z',
      lastUpdatedAt: '2026-01-01T00:00:00.000Z',
      ttlMs: 60_000,
      pollIntervalMs: 1,
      ...said,
    };
  }

  /** Changes how it is, one millisecond later by its own clock. */
  set(said: Record<string, unknown>): void {
    const lastUpdatedAt = new Date(Date.UTC(2026, 0, 1) + ++this.#changes).toISOString();
    this.said = { ...this.said, lastUpdatedAt, ...said };
  }

  complete(text: string): void {
    this.set({ status: 'completed', result: { content: [{ type: 'text', text }] } });
  }
}

/** Makes a task of each call of a tool whose name begins with `task`, as a server of the modern era. */
export class ScriptedTasks {
  readonly made: ScriptedTask[] = [];
  /** What a task is like at first. */
  readonly first: Record<string, unknown> = {};
  readonly mischief: StreamableMischief = {
    era: 'modern',
    answer: (request) => this.#answer(request),
    // It is asked how its tasks are, unless a test says otherwise.
    accepts: () => ({}),
  };
  /** Answers a request instead when it returns something. */
  instead: (request: RpcMessage) => unknown = () => undefined;

  /** The one task that was made. */
  get only(): ScriptedTask {
    const [task] = this.made;
    if (task === undefined || this.made.length > 1) throw new Error('there is not one task');
    return task;
  }

  #answer(request: RpcMessage): unknown {
    const other = this.instead(request);
    if (other !== undefined) return other;
    const { method, params = {} } = request;
    if (method === 'server/discover') {
      return discovered({ tools: {}, extensions: { [EXTENSION]: {} } });
    }
    if (method === 'tools/call') return this.#call(params);
    if (method?.startsWith('tasks/') !== true) return undefined;
    const task = this.made.find(({ taskId }) => taskId === params['taskId']);
    if (task === undefined) return new RpcRefusal(-32_602, 'Task not found');
    if (method === 'tasks/get') return task.said;
    if (method === 'tasks/cancel') task.cancels++;
    else task.updates.push(params['inputResponses'] as Record<string, unknown>);
    return {};
  }

  #call(params: Record<string, unknown>): unknown {
    if (!String(params['name']).startsWith('task')) return undefined;
    const task = new ScriptedTask(`task-${this.made.length + 1}`, this.first);
    this.made.push(task);
    return { ...task.said, resultType: 'task' };
  }
}
