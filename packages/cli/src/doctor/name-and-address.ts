import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, isIP } from 'node:net';
import { networkReason } from '@longwire/client/internal';
import { formatDuration } from '../durations.js';
import type { Finding } from './examination.js';

/** The most addresses that are looked at. */
const maxAddresses = 8;

/** Limits of one layer. */
export interface LayerLimits {
  signal: AbortSignal;
  timeoutMs: number;
}

/** The host of a URL, without the brackets of IPv6. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** The port of a URL. */
export function portOf({ port, protocol }: URL): number {
  return Number(port || (protocol === 'https:' ? 443 : 80));
}

/** The addresses of a URL's name. */
export async function findName(
  url: URL,
  limits: LayerLimits,
): Promise<{ finding: Finding; addresses: string[] }> {
  const host = hostOf(url);
  if (isIP(host) !== 0) return { finding: { detail: `${host} is an address` }, addresses: [host] };
  try {
    const found = await within(lookup(host, { all: true }), limits);
    const all = [...new Set(found.map(({ address }) => address))];
    const addresses = all.slice(0, maxAddresses);
    const more = all.length > maxAddresses ? ` and ${all.length - maxAddresses} more` : '';
    const detail = `${host} is ${addresses.join(', ')}${more}`;
    return { finding: { detail, facts: { addresses } }, addresses };
  } catch (error) {
    const finding: Finding = {
      status: 'failed',
      detail: `${host}: ${networkReason(error as Error)}`,
      facts: { code: (error as NodeJS.ErrnoException).code },
      hint: 'check the spelling, and that this machine can look names up (a VPN may be needed)',
    };
    return { finding, addresses: [] };
  }
}

/** Which of the addresses take a connection. */
export async function findAddresses(
  url: URL,
  addresses: readonly string[],
  limits: LayerLimits,
): Promise<Finding> {
  const port = portOf(url);
  const where = `${url.hostname}:${port}`;
  const tries = await Promise.all(addresses.map((address) => tryAddress(address, port, limits)));
  const reached = tries.filter(({ failure }) => failure === undefined);
  const lines = tries.map(({ address, failure, ms }) =>
    failure === undefined
      ? `${address}: connected in ${formatDuration(ms)}`
      : `${address}: ${failure}`,
  );
  const facts = { port, addresses: tries };
  const several = tries.length > 1 ? lines : [];
  if (reached.length === tries.length) {
    return { detail: `${where} takes connections`, lines: several, facts };
  }
  if (reached.length > 0) {
    return {
      status: 'warning',
      detail: `${where} takes connections at ${reached.length} of ${tries.length} addresses`,
      lines,
      facts,
      hint: 'connecting may be slow or fail at times: every address of the name has to lead to the server',
    };
  }
  const [first] = tries;
  const isRefused = tries.every(({ code }) => code === 'ECONNREFUSED');
  return {
    status: 'failed',
    detail: `${where}: ${first?.failure ?? 'no address'}`,
    lines: several,
    facts,
    hint: isRefused
      ? `start the server, or check the port: nothing listens at ${where}`
      : 'check the address, and what is on the way: a firewall, a VPN, a proxy that has to be used',
  };
}

/** Whether the first address of a URL's name takes a connection. */
export async function findAddress(url: URL, limits: LayerLimits): Promise<Finding> {
  const { finding, addresses } = await findName(url, limits);
  if (finding.status === 'failed') return finding;
  const { failure, code } = await tryAddress(addresses[0] ?? '', portOf(url), limits);
  if (failure === undefined) return { detail: 'it takes connections' };
  return { status: 'failed', detail: failure, facts: { code } };
}

/** One attempt to connect. */
interface AddressTry {
  address: string;
  ms: number;
  failure?: string;
  code?: string | undefined;
}

async function tryAddress(
  address: string,
  port: number,
  { signal, timeoutMs }: LayerLimits,
): Promise<AddressTry> {
  const startedAt = performance.now();
  const socket = connect({ host: address, port });
  socket.on('error', () => {});
  const took = (): number => Math.round(performance.now() - startedAt);
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    await once(socket, 'connect', { signal: limit });
    return { address, ms: took() };
  } catch (error) {
    const { name, code } = error as NodeJS.ErrnoException;
    if (name !== 'AbortError')
      return { address, ms: took(), failure: networkReason(error as Error), code };
    return { address, ms: took(), failure: `nothing answered within ${formatDuration(timeoutMs)}` };
  } finally {
    socket.destroy();
  }
}

/** What cannot be aborted is left alone when its time is over. */
async function within<T>(work: Promise<T>, { signal, timeoutMs }: LayerLimits): Promise<T> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const late = new Promise<never>((_resolve, reject) => {
    const stop = (): void =>
      reject(Object.assign(new Error('no answer in time'), { code: 'EAI_AGAIN' }));
    if (limit.aborted) stop();
    else limit.addEventListener('abort', stop, { once: true });
  });
  work.catch(() => {});
  return await Promise.race([work, late]);
}
