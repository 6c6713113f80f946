import {
  METHOD_NOT_FOUND,
  type InputRequests,
  type JSONRPCErrorResponse,
  type JSONRPCRequest,
  type JSONRPCResultResponse,
  type RequestId,
} from '@modelcontextprotocol/server';
import type { TaskAnswer } from './task-call.js';
import type { TaskClient } from './task-store.js';

/** Requests of a server that its client answers, and that a task can wait for; and who can answer them. */
const INPUT: ReadonlyMap<string, string> = new Map([
  ['elicitation/create', 'elicitation'],
  ['sampling/createMessage', 'sampling'],
  ['roots/list', 'roots'],
]);

/** Whether a client can answer all that a handler asks in its result. */
export function canAnswer({ capabilities }: TaskClient, asked: unknown): boolean {
  const requests = Object.values((asked ?? {}) as Record<string, { method?: unknown } | null>);
  return requests.every((request) => {
    const capability = INPUT.get(String(request?.method));
    return capability !== undefined && capabilities[capability] !== undefined;
  });
}

/** What a request of a server gets that is no question for its client; `undefined` for a question. */
export function answerWithoutClient({ method }: JSONRPCRequest): TaskAnswer | undefined {
  if (INPUT.has(method)) return undefined;
  if (method === 'ping') return { result: {} };
  return { error: { code: METHOD_NOT_FOUND, message: `${method} is not possible in a task` } };
}

interface Question {
  readonly id: RequestId;
  readonly request: InputRequests[string];
}

/** What the server of a task has asked its client, by key. A key is used once in the life of a task. */
export class TaskQuestions {
  readonly #open = new Map<string, Question>();
  #run = '';
  #lastKey = 0;

  get size(): number {
    return this.#open.size;
  }

  /** What was asked before `version` of the task was asked by another run. */
  follow(version: number): void {
    this.#run = `${version}-`;
  }

  add({ id, method, params = {} }: JSONRPCRequest): void {
    const { _meta: meta = {}, ...rest } = params;
    // The token is the SDK's own: it asks for progress of everything.
    const { progressToken: _, ...kept } = meta as Record<string, unknown>;
    const asked = { ...rest, ...(Object.keys(kept).length > 0 && { _meta: kept }) };
    const request = { method, params: asked } as unknown as InputRequests[string];
    this.#open.set(`input-${this.#run}${++this.#lastKey}`, { id, request });
  }

  /** The responses for the server; what is not open is left out. */
  answer(
    answers: Readonly<Record<string, TaskAnswer>>,
  ): (JSONRPCResultResponse | JSONRPCErrorResponse)[] {
    return Object.entries(answers).flatMap(([key, answer]) => {
      const question = this.#open.get(key);
      this.#open.delete(key);
      return question === undefined ? [] : [{ jsonrpc: '2.0', id: question.id, ...answer }];
    });
  }

  /** Whether that was open. */
  withdraw(id: unknown): boolean {
    const known = [...this.#open].find(([, question]) => question.id === id);
    return known !== undefined && this.#open.delete(known[0]);
  }

  /** What is open, as the record has it. */
  open(): InputRequests | undefined {
    if (this.#open.size === 0) return undefined;
    return Object.fromEntries([...this.#open].map(([key, { request }]) => [key, request]));
  }
}
