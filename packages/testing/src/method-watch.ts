import type { Buffer } from 'node:buffer';

/** What is kept of the bytes before a chunk: the spaces around the colon may be many. */
const MAX_TAIL_LENGTH = 512;

/** Finds requests of a JSON-RPC method in the bytes of one direction, however they are split. */
export class MethodWatch {
  #tail = '';

  /** How many bytes of the chunk belong to the name of one of these methods and to what is before it. */
  find(
    chunk: Buffer,
    methods: readonly string[],
  ): { method: string; afterBytes: number } | undefined {
    if (methods.length === 0) {
      this.#tail = '';
      return undefined;
    }
    const before = this.#tail.length;
    // A character for a byte.
    const text = this.#tail + chunk.toString('latin1');
    let found: { method: string; afterBytes: number } | undefined;
    for (const method of methods) {
      const match = patternOf(method).exec(text);
      if (match === null) continue;
      const afterBytes = match.index + match[0].length - before;
      if (afterBytes < (found?.afterBytes ?? Infinity)) found = { method, afterBytes };
    }
    // What was found is not found again.
    this.#tail = found === undefined ? text.slice(-MAX_TAIL_LENGTH) : '';
    return found;
  }
}

function patternOf(method: string): RegExp {
  const name = JSON.stringify(method).replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`"method"\\s*:\\s*${name.replaceAll('/', '\\\\?/')}`);
}
