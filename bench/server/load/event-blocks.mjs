import { StringDecoder } from 'node:string_decoder';

/**
 * Cuts an event stream at blank lines. It trusts the server (LF, one `data` line an event), and
 * passes over comments and events without data.
 */
export class EventBlocks {
  #decoder = new StringDecoder('utf8');
  #rest = '';
  #onData;

  /** @param {(data: string) => void} onData */
  constructor(onData) {
    this.#onData = onData;
  }

  /** @param {Buffer} chunk */
  push(chunk) {
    const text = this.#rest + this.#decoder.write(chunk);
    let start = 0;
    let end;
    while ((end = text.indexOf('\n\n', start)) !== -1) {
      const field = dataStart(text, start, end);
      if (field !== -1) {
        const lineEnd = text.indexOf('\n', field);
        const data = text.slice(field, Math.min(lineEnd, end));
        if (data !== '') this.#onData(data);
      }
      start = end + 2;
    }
    this.#rest = text.slice(start);
  }
}

/** @param {string} text @param {number} start @param {number} end of the block */
function dataStart(text, start, end) {
  let field = start;
  if (!text.startsWith('data:', start)) {
    field = text.indexOf('\ndata:', start) + 1;
    if (field === 0 || field > end) return -1;
  }
  return text[field + 5] === ' ' ? field + 6 : field + 5;
}
