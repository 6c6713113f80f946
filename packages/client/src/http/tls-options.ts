import type { Buffer } from 'node:buffer';
import type { ConnectionOptions, SecureContext, SecureContextOptions } from 'node:tls';
import type { Pem, TlsOptions } from '../options/network-options.js';

/** What `tls.connect` is given beside an address. */
export type TlsSettings = Pick<
  ConnectionOptions,
  'secureContext' | 'servername' | 'rejectUnauthorized'
>;

/** Which option is wrong, by the codes of OpenSSL and Node. */
const WRONG: readonly (readonly [code: RegExp, name: string, reason: string])[] = [
  [/KEY_VALUES_MISMATCH|KEY_TYPE_MISMATCH/, 'tls.key', 'it is not the key of tls.cert'],
  [
    /BAD_DECRYPT|BAD_PASSWORD|WRONG_FINAL_BLOCK/,
    'tls.passphrase',
    'tls.key is not encrypted with it',
  ],
];

/**
 * What connections need of the options, made once. Node reads all that it trusts for it, so that it is
 * shared where it can be.
 *
 * @throws TypeError that says what is wrong with which of them. It shows none of their values.
 */
export function resolveTls(options: TlsOptions): TlsSettings {
  const { cert, key, passphrase, servername, rejectUnauthorized } = options;
  const ca = options.ca === undefined ? [] : [options.ca].flat();
  for (const [index, pem] of ca.entries()) {
    checkPem(Array.isArray(options.ca) ? `tls.ca[${index}]` : 'tls.ca', pem, 'CERTIFICATE');
  }
  if (cert !== undefined) checkPem('tls.cert', cert, 'CERTIFICATE');
  if (key !== undefined) checkPem('tls.key', key, 'PRIVATE KEY');
  if (key !== undefined && passphrase === undefined && /ENCRYPTED/.test(textOf(key))) {
    throw new TypeError('tls.passphrase: tls.key is encrypted, and needs it');
  }
  if ((cert === undefined) !== (key === undefined)) {
    const [missing, given] = cert === undefined ? ['cert', 'key'] : ['key', 'cert'];
    throw new TypeError(`tls.${missing}: needed with tls.${given}`);
  }
  return {
    ...(servername !== undefined && { servername }),
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
    ...((ca.length > 0 || cert !== undefined) && {
      secureContext: createContext(ca, { cert, key, passphrase }),
    }),
  };
}

/** The same options without what identifies the client, and without a name of one server. */
export function trustOnly({ ca, rejectUnauthorized }: TlsOptions): TlsOptions {
  return {
    ...(ca !== undefined && { ca }),
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
  };
}

function createContext(
  ca: readonly Pem[],
  own: { cert: Pem | undefined; key: Pem | undefined; passphrase: string | undefined },
): SecureContext {
  // Node loads it at once; programs without this option need not wait for it.
  const tls = process.getBuiltinModule('node:tls');
  const { cert, key, passphrase } = own;
  const identity = {
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(passphrase !== undefined && { passphrase }),
  } as SecureContextOptions;
  try {
    return trusting(tls, ca, identity);
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    const [, name, reason] = WRONG.find(([pattern]) => pattern.test(code)) ?? [];
    if (name !== undefined) throw new TypeError(`${name}: ${reason}`);
    throw new TypeError(`tls: ${message}`, { cause });
  }
}

/**
 * A context that trusts these authorities beside those of Node. By the documented way, `ca`, all of Node's
 * have to be read again, which takes as long as fifty calls. What is added to a context by Node's own
 * method comes beside them, without those of NODE_EXTRA_CA_CERTS, which are added as well.
 */
function trusting(
  tls: typeof import('node:tls'),
  ca: readonly Pem[],
  identity: SecureContextOptions,
): SecureContext {
  const secureContext = tls.createSecureContext(identity);
  const { context } = secureContext as { context: { addCACert?: (pem: Pem) => void } };
  if (ca.length === 0) return secureContext;
  const all = [...ca, ...extraOf()];
  if (context.addCACert === undefined) {
    return tls.createSecureContext({
      ...identity,
      ca: [...tls.rootCertificates, ...all] as (string | Buffer)[],
    });
  }
  for (const pem of all) context.addCACert(pem);
  return secureContext;
}

/** What NODE_EXTRA_CA_CERTS names, which Node trusts. Node itself warns of a file that it cannot read. */
function extraOf(): Pem[] {
  const { NODE_EXTRA_CA_CERTS: path = '' } = process.env;
  if (path === '') return [];
  try {
    return [process.getBuiltinModule('node:fs').readFileSync(path)];
  } catch {
    return [];
  }
}

function checkPem(name: string, pem: unknown, holds: string): void {
  const isText = typeof pem === 'string';
  if (!isText && !(pem instanceof Uint8Array)) {
    throw new TypeError(`${name}: neither a string nor a Buffer`);
  }
  const text = textOf(pem as Pem);
  if (new RegExp(`-----BEGIN [A-Z ]*${holds}-----`).test(text)) {
    if (holds === 'CERTIFICATE') checkCertificates(name, text);
    return;
  }
  const isPath = isText && !text.includes('\n') && /[\\/.]/.test(text);
  const what = holds === 'CERTIFICATE' ? 'certificate' : 'private key';
  throw new TypeError(
    `${name}: there is no ${what} in the format PEM in it${isPath ? '; read the file, and give what is in it' : ''}`,
  );
}

/** Node passes over what it cannot read, and trusts less than was meant. */
function checkCertificates(name: string, text: string): void {
  const { X509Certificate } = process.getBuiltinModule('node:crypto');
  for (const [block] of text.matchAll(
    /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g,
  )) {
    try {
      new X509Certificate(block);
    } catch (cause) {
      throw new TypeError(`${name}: a certificate in it cannot be read`, { cause });
    }
  }
}

function textOf(pem: Pem): string {
  return typeof pem === 'string' ? pem : new TextDecoder('latin1').decode(pem);
}
