import { pathToFileURL } from 'node:url';
import { PeerPackages } from '../peers/packages.mjs';

/** The servers that are compared, beside the official ones. */
export const PEERS = new PeerPackages('longwire-bench-server', {
  fastmcp: '4.20.16',
  // The last one that runs on Node 20: 2.x asks for Node 22.22.2.
  'mcp-use': '1.34.6',
});

/**
 * @param {string} name
 * @param {string} file of the package
 * @returns {Promise<any>} the module
 */
export const importPeer = (name, file) => import(pathToFileURL(PEERS.fileOf(name, file)).href);
