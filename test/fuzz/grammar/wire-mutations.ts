import { pick, type Mutate, type Table } from './mutation.ts';

const NO_HTTP: readonly string[] = [
  '',
  '\r\n\r\n',
  'SSH-2.0-OpenSSH_9.6\r\n',
  'HTTP/0.9\r\n\r\n',
  'HTTP/9.9 200 OK\r\n\r\n',
  'HTTP/1.1 abc OK\r\n\r\n',
  'HTTP/1.1 200\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u0000\u0000\u0000\u0004\u0000',
  '\u0015\u0003\u0001\u0000\u0002\u0002\u0028',
  '{"jsonrpc":"2.0","id":1,"result":{}}\n',
];

const EXTRA =
  'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 38\r\n\r\n' +
  '{"jsonrpc":"2.0","id":2,"result":{}}\r\n';

/** Odd HTTP/1.1 on the wire. */
export const WIRE_MUTATIONS: Table<Buffer> = {
  'not-http': (_, random) => Buffer.from(pick(random, NO_HTTP), 'latin1'),
  'length-more': length((size) => `${size + 10}`),
  'length-less': length((size) => `${Math.max(0, size - 10)}`),
  'length-odd': length((_, random) => pick(random, ['-1', 'x', '', '1e3', '9'.repeat(30), '+5'])),
  'length-twice': length((size) => `${size}\r\ncontent-length: ${size + 1}`),
  'length-and-chunked': length((size) => `${size}\r\ntransfer-encoding: chunked`),
  'chunk-size-odd': text((raw, random) =>
    raw.replace(
      /^[0-9a-f]+\r\n/,
      `${pick(random, ['zz', '-1', '', 'ffffffffffffffff', '5;x=y'])}\r\n`,
    ),
  ),
  'chunk-end-missing': text((raw) => raw.replace(/\r\n$/, '')),
  'chunk-last-early': text((raw) => (/^[0-9a-f]+\r\n/.test(raw) ? `0\r\n\r\n${raw}` : raw)),
  'header-without-colon': head((raw) => raw.replace('\r\n', '\r\nno colon here\r\n')),
  'header-name-odd': head((raw) => raw.replace('\r\n', '\r\n\u0001\u0000bad name : x\r\n')),
  'header-folded': head((raw) => raw.replace('\r\n', '\r\nx-folded: a\r\n  b\r\n')),
  'header-value-odd': head((raw) => raw.replace('\r\n', '\r\nx-odd: \u0000\u007f\u00ff\r\n')),
  'line-feeds-alone': head((raw) => raw.replaceAll('\r\n', '\n')),
  'reason-odd': head((raw) => raw.replace(/ [A-Za-z ]+\r\n/, ' \u001b[31mfailed\r\n')),
  informational: head((raw) => 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n'.repeat(50) + raw),
  upgrade: head((raw) => `HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n${raw}`),
  'further-response': text((raw) => raw + EXTRA),
};

function text(
  change: (raw: string, random: Parameters<Mutate<Buffer>>[1]) => string,
): Mutate<Buffer> {
  return (raw, random) => Buffer.from(change(raw.toString('latin1'), random), 'latin1');
}

/** Changes what begins a response; a chunk of one stays as it is. */
function head(change: (raw: string) => string): Mutate<Buffer> {
  return text((raw) => (raw.startsWith('HTTP/') ? change(raw) : raw));
}

function length(
  change: (size: number, random: Parameters<Mutate<Buffer>>[1]) => string,
): Mutate<Buffer> {
  return text((raw, random) =>
    raw.replace(
      /content-length: (\d+)/,
      (_, size) => `content-length: ${change(Number(size), random)}`,
    ),
  );
}
