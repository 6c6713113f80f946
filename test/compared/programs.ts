import { fileURLToPath } from 'node:url';
import { PEERS, PEERS_NODE } from '../../bench/cold-start/peers.mjs';
import { interpreterOf, preparePython } from '../support/python-servers.ts';

/** The command lines that are compared, in the order of the page. */
export const PROGRAMS = ['longwire', 'mcporter', 'mcp-inspector', 'fastmcp'] as const;

/** One of them, by what one types. */
export type Program = (typeof PROGRAMS)[number];

/** What each is, and how it is started where npm or pip installed it. */
export interface Installed {
  versions: Record<Program, string>;
  /** The bodies of scripts for sh. */
  scripts: Record<Exclude<Program, 'longwire'>, string>;
}

/**
 * Sees to it that the peers are there, in folders of their own.
 *
 * @throws Error that says which could not be installed.
 */
export async function installPeers(): Promise<Installed> {
  const failure = await PEERS.install();
  if (failure !== undefined) throw new Error(failure);
  const python = await preparePython();
  if ('missing' in python) throw new Error(python.missing);
  const interpreter = interpreterOf(python.directory);
  const byNode = (name: string, file: string): string =>
    `exec '${PEERS_NODE}' '${PEERS.fileOf(name, file)}' "$@"`;
  const version = (name: string): string => PEERS.manifestOf(name)?.version ?? 'of no version';
  return {
    versions: {
      longwire: 'this one',
      mcporter: version('mcporter'),
      'mcp-inspector': version('@modelcontextprotocol/inspector'),
      fastmcp: '4.1.2',
    },
    scripts: {
      mcporter: byNode('mcporter', 'dist/cli.js'),
      'mcp-inspector': byNode('@modelcontextprotocol/inspector', 'clients/launcher/build/index.js'),
      fastmcp: `export FASTMCP_CHECK_FOR_UPDATES=off\nexec '${interpreter}' '${entry}' "$@"`,
    },
  };
}

const entry = fileURLToPath(new URL('run_fastmcp.py', import.meta.url));
