import { fileURLToPath } from 'node:url';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** `--` and the command of a server, as the command line takes it. */
export function command(...words: string[]): string[] {
  return ['--', process.execPath, ...words];
}

/** server-everything over stdin and stdout. */
export const everything: string = path(
  '../../../node_modules/@modelcontextprotocol/server-everything/dist/index.js',
);

/** A server whose tools tell about its process, and end it. */
export const ownServer: string = path('stdio-server.mjs');

/** A server of protocol 2026-07-28. */
export const modernServer: string = path('modern-server.mjs');

/** Another one, with a resource, a template and a prompt. */
export const modernThings: string = path('modern-things.mjs');

/** One of the servers that misbehave. */
export function misbehaving(name: string): string {
  return path(`../../support/stdio-servers/${name}.mjs`);
}
