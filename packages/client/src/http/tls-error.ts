/** How many names of a certificate are shown. */
const MAX_NAMES = 3;
/** How much of a name is shown. */
const MAX_NAME = 100;

/** Why TLS failed, and what to do. */
export interface TlsFailure {
  reason: string;
  advice: string;
}

const TRUST =
  'set NODE_EXTRA_CA_CERTS to a file that has it (PEM), if you know that it is the right one';
const UNKNOWN_AUTHORITY: TlsFailure = {
  reason: 'its certificate is of an authority that is not trusted here',
  advice:
    'set NODE_EXTRA_CA_CERTS to a file with the certificate of that authority (PEM); where it is a public ' +
    'one, the server has to send its whole chain',
};
const TOO_OLD: TlsFailure = {
  reason: 'it speaks only versions of TLS that are not safe any more',
  advice: 'ask whoever runs the server: it has to speak TLS 1.2 or 1.3',
};

/** By the codes of Node and OpenSSL. */
const FAILURES: Readonly<Record<string, TlsFailure>> = {
  CERT_HAS_EXPIRED: {
    reason: 'its certificate has expired',
    advice: "whoever runs the server has to renew it; check this machine's clock, too",
  },
  CERT_NOT_YET_VALID: {
    reason: 'its certificate is not valid yet',
    advice: "check this machine's clock, or ask whoever runs the server",
  },
  DEPTH_ZERO_SELF_SIGNED_CERT: {
    reason: 'its certificate is self-signed, and not trusted here',
    advice: TRUST,
  },
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  ERR_SSL_UNSUPPORTED_PROTOCOL: TOO_OLD,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: TOO_OLD,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: {
    reason: 'it wants a certificate of the client',
    advice: 'a program gives one with dispatcher; the command line cannot',
  },
};

/** What a server without TLS answers to the first bytes of TLS is no record of TLS. */
const NOT_TLS: ReadonlySet<string> = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
]);

/** What a failure of TLS means, by its code; `undefined` if it is of something else. */
export function tlsFailure(error: NodeJS.ErrnoException, url: URL): TlsFailure | undefined {
  const { code = '' } = error;
  if (NOT_TLS.has(code)) return notTls(url);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return wrongName(error, url);
  return Object.hasOwn(FAILURES, code) ? FAILURES[code] : undefined;
}

function notTls({ hostname }: URL): TlsFailure {
  const isHere = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
  const where = isHere ? '' : ', only if everybody on the way may read what is sent';
  return {
    reason: 'what answers there does not speak TLS',
    advice: `write http:// instead of https://${where}`,
  };
}

/** The error has the certificate, which the server sent. */
function wrongName(error: object, { hostname }: URL): TlsFailure {
  const { cert } = error as { cert?: { subjectaltname?: unknown } };
  const names = certificateNames(cert?.subjectaltname);
  const more = names.length > MAX_NAMES ? ' and others' : '';
  const shown = names.length === 0 ? 'no name' : names.slice(0, MAX_NAMES).join(', ');
  return {
    reason: `its certificate is for ${shown}${more}, and not for ${hostname}`,
    advice: 'write the name that it is for, if that is the server you mean',
  };
}

/** The names of `DNS:localhost, IP Address:127.0.0.1`. */
export function certificateNames(subjectAltName: unknown): string[] {
  if (typeof subjectAltName !== 'string') return [];
  const names = subjectAltName.matchAll(/(?:^|, )(?:DNS|IP Address):([^,]*)/g);
  return [...names].map(([, name = '']) => name.slice(0, MAX_NAME));
}
