import {
  brotliCompressSync,
  constants,
  createGzip,
  deflateRawSync,
  deflateSync,
  gzipSync,
} from 'node:zlib';
import { event, json, told } from '../replies.mjs';

/**
 * @typedef {import('../server.mjs').Habit} Habit
 * @typedef {import('../server.mjs').Reply} Reply
 */

/** @param {string} name @param {string} coding @param {(body: string) => Buffer | string} encode @param {Partial<Habit>} [more] @returns {Habit} */
const codes = (name, coding, encode, more = {}) => ({
  name,
  rules: [
    told('request', (answer) => ({
      headers: { 'content-type': 'application/json', 'content-encoding': coding },
      body: encode(JSON.stringify(answer)),
    })),
  ],
  ...more,
});

/** A stream that is compressed as it comes. @param {string} name @param {(body: string) => Reply['body']} encode @param {string} coding @returns {Habit} */
const codesStream = (name, coding, encode) => ({
  name,
  rules: [
    told('request', (answer) => ({
      headers: { 'content-type': 'text/event-stream', 'content-encoding': coding },
      body: encode(event(answer)),
      staysOpen: true,
    })),
  ],
});

/** @param {string} body */
async function* flushed(body) {
  const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH });
  gzip.write(body);
  gzip.flush(constants.Z_SYNC_FLUSH);
  const part = await new Promise((resolve) => gzip.once('data', resolve));
  yield /** @type {Buffer} */ (part);
}

/** @type {Habit[]} */
export const codings = [
  codes('compresses JSON by gzip, asked or not', 'gzip', gzipSync),
  codes('compresses JSON by Brotli, asked or not', 'br', brotliCompressSync),
  codes('compresses JSON by deflate, asked or not', 'deflate', deflateSync),
  codes('compresses JSON by deflate without the header of zlib', 'deflate', deflateRawSync),
  codes('compresses JSON by gzip and calls it `x-gzip`', 'x-gzip', gzipSync),
  codes('compresses JSON by gzip and calls it `GZIP`', 'GZIP', gzipSync),
  codes('compresses JSON by gzip twice', 'gzip, gzip', (body) => gzipSync(gzipSync(body))),
  codes('says `identity`', 'identity', (body) => body),
  codes('says an empty `Content-Encoding`', '', (body) => body),
  codes('says `utf-8` in `Content-Encoding`', 'utf-8', (body) => body, {
    says: /encoding|coding/i,
  }),
  codes('says gzip and sends plain JSON', 'gzip', (body) => body, { says: /gzip/i }),
  codes('sends gzip that breaks off', 'gzip', (body) => gzipSync(body).subarray(0, 40), {
    says: /gzip/i,
  }),
  codes('compresses in a way that nobody knows', 'lzma', (body) => gzipSync(body), {
    says: /lzma/i,
  }),
  codesStream('compresses an event stream by gzip, event by event', 'gzip', flushed),
  codesStream('compresses an event stream by gzip, and ends it with the answer', 'gzip', (body) =>
    gzipSync(body),
  ),
  codesStream('compresses an event stream by Brotli', 'br', (body) => brotliCompressSync(body)),
  codesStream('compresses an event stream by deflate', 'deflate', (body) => deflateSync(body)),
  {
    name: 'compresses only for clients that say that they take it',
    rules: [
      told('request', (answer, { headers }) => {
        if (!String(headers['accept-encoding'] ?? '').includes('gzip')) return json(answer);
        return {
          headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
          body: gzipSync(JSON.stringify(answer)),
        };
      }),
    ],
  },
  {
    name: 'says a length of its body that is too large',
    says: /broke|ended|short|length|closed|terminated|aborted/i,
    rules: [
      told('request', (answer) => ({
        headers: {
          'content-type': 'application/json',
          'content-length': String(JSON.stringify(answer).length + 10),
        },
        body: JSON.stringify(answer),
        isCut: true,
      })),
    ],
  },
];
