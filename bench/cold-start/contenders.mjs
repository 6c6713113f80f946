import { fileURLToPath } from 'node:url';
import { PEERS } from './peers.mjs';

/**
 * @typedef {object} Target where the tools are to be listed
 * @property {string} title
 * @property {string} [url] of a server that speaks Streamable HTTP
 * @property {readonly [string, string]} [command] that starts a server which speaks stdio
 * @property {readonly string[]} tools that it offers to everyone: some have more for clients that
 *   say that they can do more
 *
 * @typedef {object} Contender
 * @property {string} title
 * @property {string} program
 * @property {string} [engine] the versions of Node that it asks for
 * @property {(target: Target) => string[]} args with which it lists the tools as JSON
 * @property {(document: any) => { name: string }[]} [toolsIn] what it wrote; without it nothing is
 *   to be written
 */

/** What Node itself takes: no program that it runs can take less. @type {Contender} */
export const NOTHING = {
  title: 'an empty program',
  program: fileURLToPath(new URL('./empty.mjs', import.meta.url)),
  args: () => [],
};

/** @type {Contender} */
export const LONGWIRE = {
  title: '`longwire tools --json`',
  program: fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url)),
  args: ({ url, command = [] }) =>
    url === undefined ? ['tools', '--json', '--', ...command] : ['tools', url, '--json'],
  toolsIn: (document) => document,
};

/** What most scripts ask first. @type {Contender} */
export const VERSION = {
  title: '`longwire --version`',
  program: LONGWIRE.program,
  args: () => ['--version'],
};

/** What a program waits for before its first line. @type {readonly [Contender, Contender]} */
export const IMPORTS = [
  {
    title: "`import '@modelcontextprotocol/client'`",
    program: fileURLToPath(new URL('./import-official.mjs', import.meta.url)),
    args: () => [],
  },
  {
    title: "`import '@longwire/client'`",
    program: fileURLToPath(new URL('./import-longwire.mjs', import.meta.url)),
    args: () => [],
  },
];

/**
 * Once they are installed.
 *
 * @returns {Contender[]}
 */
export function peers() {
  return [
    peer('mcporter', {
      title: (version) => `mcporter ${version}, \`list --json\``,
      program: PEERS.fileOf('mcporter', 'dist/cli.js'),
      args: ({ url, command: [command = '', argument = ''] = ['', ''] }) =>
        url === undefined
          ? ['list', '--stdio', command, '--stdio-arg', argument, '--json']
          : ['list', '--http-url', url, '--allow-http', '--json'],
      toolsIn: (document) => document.tools,
    }),
    peer('@modelcontextprotocol/inspector', {
      title: (version) => `Inspector ${version}, \`--cli --method tools/list\``,
      program: PEERS.fileOf('@modelcontextprotocol/inspector', 'clients/launcher/build/index.js'),
      args: ({ url, command = [] }) => [
        '--cli',
        ...(url === undefined ? command : [url, '--transport', 'http']),
        '--method',
        'tools/list',
      ],
      toolsIn: (document) => document.tools,
    }),
  ];
}

/**
 * @param {string} name of its package
 * @param {Omit<Contender, 'title'> & { title(version: string): string }} contender
 * @returns {Contender}
 */
function peer(name, { title, ...contender }) {
  const manifest = PEERS.manifestOf(name);
  const engine = manifest?.engines?.node;
  return {
    ...contender,
    title: title(manifest?.version ?? 'not installed'),
    ...(engine === undefined ? {} : { engine }),
  };
}
