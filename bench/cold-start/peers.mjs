import { PeerPackages } from '../peers/packages.mjs';

/** The command lines that are compared. */
export const PEERS = new PeerPackages('longwire-bench', {
  mcporter: '0.12.3',
  '@modelcontextprotocol/inspector': '2.12.0',
  // Both peers ask for one that is newer than what Longwire asks for.
  node: '24.21.0',
});

/** The Node of the folder. */
export const PEERS_NODE = PEERS.fileOf('node', 'bin/node');
