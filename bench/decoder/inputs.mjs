/**
 * @typedef {object} Input
 * @property {string} title
 * @property {Buffer[]} chunks the stream, as it would come from a socket
 * @property {number} bytes
 * @property {boolean} [parse] whether the event's data is parsed as JSON, as a client does
 */

const CHUNK_BYTES = 64 * 1024;
const STREAM_BYTES = 16 * 1024 * 1024;

/** @param {number} id @param {string} text */
const answer = (id, text) =>
  JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }] } });

/** @param {string} data @param {string} [newline] */
const event = (data, newline = '\n') => `event: message${newline}data: ${data}${newline}${newline}`;

/**
 * @param {(id: number) => string} eventOf
 * @returns {Buffer[]} one event each
 */
function events(eventOf) {
  const list = [];
  for (let id = 0, bytes = 0; bytes < STREAM_BYTES; id++) {
    const next = Buffer.from(eventOf(id));
    list.push(next);
    bytes += next.length;
  }
  return list;
}

/** @param {readonly Buffer[]} parts */
function inChunks(parts) {
  const stream = Buffer.concat(parts);
  const chunks = [];
  for (let start = 0; start < stream.length; start += CHUNK_BYTES) {
    // Copied, since a socket gives every chunk memory of its own.
    chunks.push(Buffer.from(stream.subarray(start, start + CHUNK_BYTES)));
  }
  return chunks;
}

/** @param {string} title @param {Buffer[]} chunks @param {boolean} [parse] @returns {Input} */
const input = (title, chunks, parse = false) => ({
  title,
  chunks,
  bytes: chunks.reduce((sum, chunk) => sum + chunk.length, 0),
  parse,
});

const SMALL = 'the quick brown fox jumps over the lazy dog';
const MEDIUM = SMALL.repeat(93);
const NON_ASCII = 'żółta łódź, 東京の天気は晴れ, Ελληνικά, 🚢 и ещё строка';

/** @returns {Input[]} */
export function inputs() {
  const small = events((id) => event(answer(id, SMALL)));
  return [
    input('150 B events, 64 KiB chunks', inChunks(small)),
    input('the same, data parsed as JSON', inChunks(small), true),
    input('150 B events, a chunk each', small),
    input(
      '150 B events, CRLF, 64 KiB chunks',
      inChunks(events((id) => event(answer(id, SMALL), '\r\n'))),
    ),
    input(
      '200 B events, not ASCII, 64 KiB chunks',
      inChunks(events((id) => event(answer(id, NON_ASCII)))),
    ),
    input('4 KiB events, 64 KiB chunks', inChunks(events((id) => event(answer(id, MEDIUM))))),
    input(
      'one event of 50 MiB, 64 KiB chunks',
      inChunks([Buffer.from(event(answer(1, 'x'.repeat(50 * 2 ** 20))))]),
    ),
  ];
}
