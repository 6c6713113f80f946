import { BlockList, isIP } from 'node:net';

/**
 * From where an address can be reached: from anywhere; from a private network or this machine; or
 * from this link alone, where clouds have services with credentials.
 */
export type Reach = 'public' | 'private' | 'link-local';

const ORDER: readonly Reach[] = ['public', 'private', 'link-local'];

const PRIVATE = blockList([
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['240.0.0.0', 4],
  ['::', 128],
  ['::1', 128],
  ['fc00::', 7],
  ['fec0::', 10],
]);

/** With the metadata services of clouds at other addresses: Azure, Alibaba, AWS. */
const LINK_LOCAL = blockList([
  ['169.254.0.0', 16],
  ['168.63.129.16', 32],
  ['100.100.100.200', 32],
  ['fe80::', 10],
  ['fd00:ec2::254', 128],
]);

/** The reach of an IP address, not of a name. */
export function reachOf(address: string): Reach {
  // Without the zone, which names an interface.
  [address = ''] = address.split('%', 1);
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (LINK_LOCAL.check(address, family)) return 'link-local';
  return PRIVATE.check(address, family) ? 'private' : 'public';
}

/** The reach of a URL's host, if that is known without resolving a name. */
export function reachOfHost({ hostname }: URL): Reach | undefined {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0) return reachOf(host);
  return /(^|\.)localhost\.?$/.test(host) ? 'private' : undefined;
}

/** Whether a server of this reach may name an address: it may name what it can reach itself. */
export function mayName(server: Reach, address: Reach): boolean {
  return ORDER.indexOf(address) <= ORDER.indexOf(server);
}

/** The widest of several. */
export function widest(reaches: readonly Reach[]): Reach {
  return ORDER.find((reach) => reaches.includes(reach)) ?? 'public';
}

/** A server named an address that it may not name. A TypeError, so that the SDK stops. */
export class RefusedAddressError extends TypeError {
  override readonly name = 'RefusedAddressError';

  constructor(host: string, address: Reach) {
    super(
      `the server named ${host}, which is a ${address} address, and is not itself at one: nothing was ` +
        'sent there; `allowPrivateAddresses: true` if you trust the server with your network',
    );
  }
}

function blockList(subnets: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of subnets) {
    const isOld = isIP(network) === 4;
    list.addSubnet(network, prefix, isOld ? 'ipv4' : 'ipv6');
    // The same address behind a NAT64 gateway.
    if (isOld) list.addSubnet(`64:ff9b::${network}`, 96 + prefix, 'ipv6');
  }
  return list;
}
