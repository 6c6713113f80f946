import { randomFill, type Table } from './mutation.ts';

const MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Odd bytes, whatever they were to say. */
export const BYTE_MUTATIONS: Table<Buffer> = {
  'cut-off': (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  'cut-off-beginning': (bytes, random) => bytes.subarray(random.below(bytes.length + 1)),
  flipped: (bytes, random) => {
    const copy = Buffer.from(bytes);
    for (let count = 0; count < 3 && copy.length > 0; count += 1) {
      const at = random.below(copy.length);
      copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
    }
    return copy;
  },
  'invalid-utf-8': (bytes, random) => insert(bytes, random.below(bytes.length + 1), 0xc3, 0x28),
  'broken-character': (bytes, random) => insert(bytes, random.below(bytes.length + 1), 0xf0, 0x9f),
  overlong: (bytes, random) => insert(bytes, random.below(bytes.length + 1), 0xc0, 0x80),
  nulls: (bytes, random) => insert(bytes, random.below(bytes.length + 1), 0, 0, 0),
  'byte-order-mark': (bytes) => Buffer.concat([MARK, bytes]),
  'byte-order-mark-after': (bytes) => Buffer.concat([bytes, MARK]),
  'utf-16': (bytes) => Buffer.from(`\ufeff${bytes.toString()}`, 'utf16le'),
  'carriage-returns': (bytes) =>
    Buffer.from(bytes.toString('latin1').replaceAll('\n', '\r\n'), 'latin1'),
  'garbage-before': (bytes, random) => Buffer.concat([randomFill(random, 64), bytes]),
  'garbage-after': (bytes, random) => Buffer.concat([bytes, randomFill(random, 64)]),
  'garbage-alone': (_, random) => randomFill(random, 256),
  'line-before': (bytes) => Buffer.concat([Buffer.from('Server running on stdio\n'), bytes]),
  'banner-before': (bytes) => Buffer.concat([Buffer.from('\u001b[32mready\u001b[0m '), bytes]),
  twice: (bytes) => Buffer.concat([bytes, bytes]),
  none: () => Buffer.alloc(0),
};

function insert(bytes: Buffer, at: number, ...inserted: number[]): Buffer {
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(inserted), bytes.subarray(at)]);
}
