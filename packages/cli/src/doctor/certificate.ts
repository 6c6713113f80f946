import { once } from 'node:events';
import { isIP } from 'node:net';
import {
  checkServerIdentity,
  connect,
  type DetailedPeerCertificate,
  type TLSSocket,
} from 'node:tls';
import {
  certificateNames,
  networkAdvice,
  networkReason,
  openTunnel,
} from '@longwire/client/internal';
import type { Finding } from './examination.js';
import { hostOf, portOf, type LayerLimits } from './name-and-address.js';
import type { Way } from './proxy.js';

const dayMs = 86_400_000;

/** From how many days before its end a certificate is warned of. */
const soonDays = 14;

/** The most certificates of a chain that are shown, and the most names of one. */
const maxShown = 5;

/** Begins TLS with a server, and looks at its certificate, also one that would not be taken. */
export async function findCertificate(
  url: URL,
  limits: LayerLimits,
  { network, proxy }: Way,
): Promise<Finding> {
  const host = hostOf(url);
  const tunnel =
    proxy &&
    (await openTunnel(
      proxy,
      { hostname: host, port: portOf(url) },
      { ...limits, tls: network.trust },
    ));
  const socket = connect({
    ...(tunnel === undefined ? { host, port: portOf(url) } : { socket: tunnel }),
    ...network.tls,
    ...(isIP(host) === 0 && { servername: host }),
    ALPNProtocols: ['http/1.1'],
    // What is wrong with it is to be seen. Nothing is sent over this connection.
    rejectUnauthorized: false,
  });
  socket.on('error', () => {});
  try {
    const limit = AbortSignal.any([limits.signal, AbortSignal.timeout(limits.timeoutMs)]);
    await once(socket, 'secureConnect', { signal: limit });
    return judged(socket, url);
  } catch (error) {
    const isLate = (error as Error).name === 'AbortError';
    return {
      status: 'failed',
      detail: isLate ? 'TLS was begun and not answered' : networkReason(error as Error, url),
      facts: { code: (error as NodeJS.ErrnoException).code },
      hint: isLate
        ? 'check that a server of TLS is there, and what is on the way'
        : networkAdvice(error as Error, url),
    };
  } finally {
    socket.destroy();
    tunnel?.destroy();
  }
}

function judged(socket: TLSSocket, url: URL): Finding {
  const certificate = socket.getPeerCertificate(true);
  const chain = chainOf(certificate);
  const now = Date.now();
  const [from, to] = [Date.parse(certificate.valid_from), Date.parse(certificate.valid_to)];
  const days = Math.floor((to - now) / dayMs);
  const names = certificateNames(certificate.subjectaltname);
  const protocol = (socket.getProtocol() ?? 'TLS').replace('TLSv', 'TLS ');
  const cipher = socket.getCipher().standardName;
  const lines = [
    `certificate for ${names.slice(0, maxShown).join(', ') || 'no name'}${names.length > maxShown ? ' and others' : ''}`,
    `valid from ${dateOf(from)} to ${dateOf(to)}`,
    ...chain.slice(0, maxShown).map((issuer) => `issued by ${issuer}`),
  ];
  const problems = problemsOf(socket, certificate, url);
  const facts = {
    protocol,
    cipher,
    certificate: {
      names: names.slice(0, 100),
      validFrom: dateOf(from),
      validTo: dateOf(to),
      chain,
      fingerprint256: certificate.fingerprint256,
    },
  };
  const [first] = problems;
  if (first !== undefined) {
    const more = problems.slice(1).map((problem) => `and ${networkReason(problem, url)}`);
    return {
      status: 'failed',
      detail: networkReason(first, url),
      lines: [...more, ...lines],
      facts: { code: first.code, ...facts },
      hint: networkAdvice(first, url),
    };
  }
  if (days < soonDays) {
    const hint = 'whoever runs the server has to renew it';
    return {
      status: 'warning',
      detail: `${protocol}; expires in ${days} days`,
      lines,
      facts,
      hint,
    };
  }
  return { detail: `${protocol}, and its certificate is trusted`, lines, facts };
}

/** Everything for which the certificate is not taken; the first is what other commands meet. */
function problemsOf(
  socket: TLSSocket,
  certificate: DetailedPeerCertificate,
  url: URL,
): NodeJS.ErrnoException[] {
  const code = socket.authorizationError as unknown;
  const isKnown = !socket.authorized && typeof code === 'string';
  const other = checkServerIdentity(hostOf(url), certificate);
  const isSame = isKnown && code === 'ERR_TLS_CERT_ALTNAME_INVALID';
  return [
    ...(isKnown && !isSame ? [Object.assign(new Error(code), { code })] : []),
    ...(other === undefined ? [] : [other]),
  ];
}

/** Who issued it, and who issued that, up to a certificate that is its own issuer. */
function chainOf(certificate: DetailedPeerCertificate): string[] {
  const issuers: string[] = [];
  let at: DetailedPeerCertificate | undefined = certificate;
  for (let depth = 0; at?.issuer !== undefined && depth < 10; depth++) {
    const { O: organization, CN: name } = at.issuer;
    const isOwn =
      at.issuerCertificate === at || at.issuerCertificate?.fingerprint256 === at.fingerprint256;
    const issuer = [name, organization].flat().filter(Boolean).join(', ') || 'nobody';
    issuers.push(isOwn && depth === 0 ? 'itself' : issuer);
    if (isOwn) break;
    at = at.issuerCertificate;
  }
  return issuers;
}

function dateOf(time: number): string {
  return Number.isNaN(time) ? 'no date' : new Date(time).toISOString().slice(0, 10);
}
