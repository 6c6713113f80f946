import type { RecordableRequest } from './recordable.js';

/** Questions of servers that wait for an answer; more are forgotten, the oldest first. */
const MAX_ASKED = 1000;

/** What the next round of a call has beside what was asked before. */
const OF_ROUNDS: readonly string[] = ['_meta', 'inputResponses', 'requestState'];

/**
 * Finds the rounds of a call: a server may end a call with a question (`input_required`), and the client
 * then makes the call again, with the answers.
 */
export class Rounds {
  readonly #calls = new WeakMap<RecordableRequest, number>();
  readonly #asked = new Map<string, number>();

  /** A call begins. Returns the call of which it is the next round. */
  begin(server: string, request: RecordableRequest, call: number): number | undefined {
    this.#calls.set(request, call);
    const { inputResponses, requestState } = request.params ?? {};
    if (inputResponses === undefined && requestState === undefined) return undefined;
    const key = keyOf(server, request, requestState);
    const before = this.#asked.get(key);
    this.#asked.delete(key);
    return before;
  }

  /** A call was answered, maybe with a question. */
  answered(server: string, request: RecordableRequest, result: unknown): undefined {
    const { resultType, requestState } = (result ?? {}) as Readonly<Record<string, unknown>>;
    const call = this.#calls.get(request);
    if (resultType !== 'input_required' || call === undefined) return;
    this.#asked.set(keyOf(server, request, requestState), call);
    const [oldest] = this.#asked.keys();
    if (this.#asked.size > MAX_ASKED && oldest !== undefined) this.#asked.delete(oldest);
  }
}

function keyOf(server: string, { method, params }: RecordableRequest, state: unknown): string {
  const asked = Object.entries(params ?? {}).filter(([name]) => !OF_ROUNDS.includes(name));
  // A program may give an integer that is too large for a number.
  return JSON.stringify([server, method, asked, state], (_name, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
}
