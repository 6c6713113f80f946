import { Buffer } from 'node:buffer';
import type { MountableServer } from '../channels/in-memory/channel.js';
export type { MountableServer } from '../channels/in-memory/channel.js';

/** A server that runs as a child process and talks over its standard input and output. */
export interface CommandTarget {
  /** The program: a path, or a name that is looked up in `PATH`. */
  command: string;
  /** Default: none. */
  args?: readonly string[];
  /**
   * Environment variables, in addition to the inherited ones (`PATH`, `HOME` and the like). Default:
   * none.
   */
  env?: Readonly<Record<string, string>>;
  /** Its working directory. Default: that of this process. */
  cwd?: string;
}

/** A server in this process, for tests and embedding. */
export interface ServerTarget {
  /** Makes a new server for every session. It is closed with the session. */
  server: () => MountableServer | Promise<MountableServer>;
}

/** What a program names as its server: a URL, a command, or a server in the same process. */
export type TargetOption = string | URL | CommandTarget | ServerTarget;

/** Where a server may be, and how it may be probed. */
export interface Candidate {
  url: URL;
  by: readonly ('post' | 'stream')[];
}

/** A server at a URL. */
export interface UrlTarget {
  kind: 'url';
  /** Its name until the server says its own: the host. */
  name: string;
  /** The URL as given, less its user info and fragment. */
  url: URL;
  /** Where a server may be, in order. */
  candidates: readonly Candidate[];
  /** The user info of the URL as a header, which is sent to its origin alone. */
  authorization: string | undefined;
}

/** A server that is started as a child process. */
export interface ProcessTarget extends CommandTarget {
  kind: 'command';
  /** Its name until the server says its own: the command. */
  name: string;
}

/** A server in this process. */
export interface MountedTarget extends ServerTarget {
  kind: 'server';
  name: string;
}

/** What the user named, in a form that can be dialled. */
export type Target = UrlTarget | ProcessTarget | MountedTarget;

/**
 * Reads a target.
 *
 * @throws TypeError that says what a target looks like.
 */
export function parseTarget(target: TargetOption): Target {
  if (typeof target === 'string' || target instanceof URL) return parseUrl(target);
  if (typeof target !== 'object' || target === null) {
    throw new TypeError(`${String(target)} is no target: not a URL, a command or a server`);
  }
  if ('command' in target) return parseCommand(target);
  if (typeof target.server !== 'function') {
    throw new TypeError('server: not a function that makes a server');
  }
  return { kind: 'server', name: 'in-memory', server: target.server };
}

function parseCommand({
  command,
  args = [],
  env = {},
  cwd,
  ...rest
}: CommandTarget): ProcessTarget {
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) {
    throw new TypeError(`${unknown}: no such part of a command; there are command, args, env, cwd`);
  }
  if (typeof command !== 'string' || command.trim() === '') {
    throw new TypeError('command: not the name of a program');
  }
  if (!Array.isArray(args) || args.some((arg) => typeof arg !== 'string')) {
    throw new TypeError('args: not an array of strings');
  }
  for (const [name, value] of Object.entries(env)) {
    if (typeof value !== 'string') throw new TypeError(`env: the value of ${name} is not a string`);
  }
  if (cwd !== undefined && typeof cwd !== 'string') throw new TypeError('cwd: not a path');
  const name = command.slice(command.search(/[^/\\]*$/));
  return { kind: 'command', name, command, args, env, ...(cwd !== undefined && { cwd }) };
}

function parseUrl(target: string | URL): UrlTarget {
  const text = String(target).trim();
  const shown = JSON.stringify(showable(text));
  if (!URL.canParse(text)) {
    const guess = URL.canParse(`http://${text}`) ? `; did you mean http://${showable(text)} ?` : '';
    throw new TypeError(`${shown} is not a URL such as http://127.0.0.1:3001/mcp${guess}`);
  }
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    // `localhost:3001` parses as a URL whose protocol is `localhost:`.
    throw new TypeError(
      `${shown} is not an http or https URL; did you mean http://${showable(text)} ?`,
    );
  }
  const authorization = basicAuthorization(url);
  url.username = '';
  url.password = '';
  url.hash = '';
  return { kind: 'url', name: url.host, url, candidates: candidatesFor(url), authorization };
}

const POST = ['post'] as const;
const GET = ['stream'] as const;

/**
 * Where the server of a URL may be. The query is kept.
 *
 * | the path | candidates |
 * | --- | --- |
 * | ends in `/sse` or `/mcp` | the URL |
 * | ends in `/sse/` or `/mcp/` | the URL, then the same without the slash |
 * | is empty | `/mcp`, `/sse`, then the URL |
 * | is another | the URL, then `/mcp` and `/sse` below it |
 *
 * A URL that ends in `/sse` is probed by GET first: a POST there may call a tool.
 */
function candidatesFor(url: URL): Candidate[] {
  const path = url.pathname.replace(/(?<!\/)\/+$/, '');
  const last = path.slice(path.lastIndexOf('/') + 1);
  const at = (pathname: string, by: Candidate['by']): Candidate => {
    const other = new URL(url);
    other.pathname = pathname;
    return { url: other, by };
  };
  const by: Candidate['by'] = last === 'sse' ? [...GET, ...POST] : [...POST, ...GET];
  const given = { url, by };
  if (last === 'sse' || last === 'mcp') {
    return path === url.pathname ? [given] : [given, at(path, by)];
  }
  const below = [at(`${path}/mcp`, POST), at(`${path}/sse`, GET)];
  return path === '' ? [...below, given] : [given, ...below];
}

/** The part of a URL-like text that may be shown: without user info and query. */
function showable(text: string): string {
  const [shown = ''] = text.split(/[?#]/, 1);
  return shown.replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^/@]*@/i, '$1').slice(0, 200);
}

function basicAuthorization({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  let pair: string;
  try {
    pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  } catch {
    throw new TypeError('the user or password in the URL is not percent-encoded as it must be');
  }
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}
