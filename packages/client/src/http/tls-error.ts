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
  'give it by tls.ca (--ca FILE), or set NODE_EXTRA_CA_CERTS to a file that has it (PEM), if you know ' +
  'that it is the right one';
const UNKNOWN_AUTHORITY: TlsFailure = {
  reason: 'its certificate is of an authority that is not trusted here',
  advice:
    'give the certificate of that authority (PEM) by tls.ca (--ca FILE), or set NODE_EXTRA_CA_CERTS to a ' +
    'file that has it; where it is a public one, the server has to send its whole chain',
};
const TOO_OLD: TlsFailure = {
  reason: 'it speaks only versions of TLS that are not safe any more',
  advice: 'ask whoever runs the server: it has to speak TLS 1.2 or 1.3',
};

const GIVE_CERTIFICATE =
  'give one by tls.cert and tls.key (--cert FILE --key FILE), which whoever runs the server issues';
const CERTIFICATE_WANTED: TlsFailure = {
  reason: 'it wants a certificate of the client',
  advice: GIVE_CERTIFICATE,
};
const CERTIFICATE_REFUSED: TlsFailure = {
  reason: 'it does not accept the certificate of the client',
  advice:
    'check that tls.cert (--cert) is the one for this server, with the rest of its chain, and is still valid',
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
};

/** What the other side refuses, by the alert of TLS that it sends. */
const ALERTS: Readonly<Record<string, TlsFailure>> = {
  CERTIFICATE_REQUIRED: CERTIFICATE_WANTED,
  HANDSHAKE_FAILURE: {
    reason: 'it refuses the handshake of TLS, as servers do that want a certificate of the client',
    advice: `${GIVE_CERTIFICATE}; otherwise ask whoever runs the server which TLS it speaks`,
  },
  CERTIFICATE_EXPIRED: {
    reason: 'it says that the certificate of the client has expired',
    advice:
      'get a new one from whoever issues them, and give it by tls.cert and tls.key (--cert, --key)',
  },
  ...Object.fromEntries(
    [
      'ACCESS_DENIED',
      'BAD_CERTIFICATE',
      'CERTIFICATE_REVOKED',
      'CERTIFICATE_UNKNOWN',
      'DECRYPT_ERROR',
      'UNKNOWN_CA',
      'UNSUPPORTED_CERTIFICATE',
    ].map((alert) => [alert, CERTIFICATE_REFUSED]),
  ),
};

/** What a server of HTTP says, behind which TLS did not ask strictly: nginx, and those after it. */
const SAID_WANTED = /no required SSL certificate was sent/i;
const SAID_REFUSED = /the SSL certificate error/i;

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
  return Object.hasOwn(FAILURES, code) ? FAILURES[code] : alertOf(code);
}

/**
 * What a server says of the client's certificate after the client has begun to send, as TLS 1.3 allows;
 * it has read nothing of it. `undefined` if the failure is of something else.
 */
export function alertOf(code: string | undefined): TlsFailure | undefined {
  const [, alert = ''] = /_ALERT_(\w+)$/.exec(code ?? '') ?? [];
  return Object.hasOwn(ALERTS, alert) ? ALERTS[alert] : undefined;
}

/** What an HTTP answer of an https server says of the client's certificate, if it does. */
export function certificateAnswer(status: number, excerpt: string): TlsFailure | undefined {
  if (status === 496 || (status === 400 && SAID_WANTED.test(excerpt))) return CERTIFICATE_WANTED;
  return status === 495 || (status === 400 && SAID_REFUSED.test(excerpt))
    ? CERTIFICATE_REFUSED
    : undefined;
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
