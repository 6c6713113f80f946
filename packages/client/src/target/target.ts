import { Buffer } from 'node:buffer';
import type { Transport } from '@modelcontextprotocol/client';

/** A server that is a process of our own, spoken to over its standard input and output. */
export interface CommandTarget {
  /** The program: a path, or a name that is looked up in `PATH`. */
  command: string;
  /** Default: none. */
  args?: readonly string[];
  /**
   * Environment variables beside those that every program needs (`PATH`, `HOME` and their like),
   * which are all that is inherited. Default: none.
   */
  env?: Readonly<Record<string, string>>;
  /** Its working directory. Default: that of this process. */
  cwd?: string;
}

/** A server in this process, for tests and embedding. */
export interface ServerTarget {
  /** Makes the server, anew for every session. It is closed with the session. */
  server: () => MountableServer | Promise<MountableServer>;
}

/** An `McpServer` or `Server` of the official SDK, by what is needed of it. */
export interface MountableServer {
  connect(transport: Transport): Promise<void>;
  close(): Promise<void>;
}

/** What a program names as its server: a URL, a command, or a server in the same process. */
export type TargetOption = string | URL | CommandTarget | ServerTarget;

/** What the user named, in a form that can be dialled. */
export interface Target {
  /** The URL as given, less its user info and fragment. */
  url: URL;
  /** Where to look for a server, in order. */
  candidates: URL[];
  /** The user info of the URL, as a header that goes to its origin alone. */
  authorization: string | undefined;
}

/**
 * Reads a target.
 *
 * @throws TypeError that says what a target looks like.
 */
export function parseTarget(target: string | URL): Target {
  const text = String(target).trim();
  const shown = JSON.stringify(showable(text));
  if (!URL.canParse(text)) {
    const guess = URL.canParse(`http://${text}`) ? `; did you mean http://${showable(text)} ?` : '';
    throw new TypeError(`${shown} is not a URL such as http://127.0.0.1:3001/sse${guess}`);
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
  return { url, candidates: candidatesFor(url), authorization };
}

/**
 * The URL as given; for a path that does not say that it is an MCP endpoint, also `/sse` below
 * it, which comes first where there is no path at all; for one that says so with a slash behind
 * it, also without the slash. The query is kept.
 */
function candidatesFor(url: URL): URL[] {
  const path = url.pathname.replace(/\/+$/, '');
  const last = path.slice(path.lastIndexOf('/') + 1);
  const isEndpoint = last === 'sse' || last === 'mcp';
  if (isEndpoint && path === url.pathname) return [url];
  const other = new URL(url);
  other.pathname = isEndpoint ? path : `${path}/sse`;
  return path === '' ? [other, url] : [url, other];
}

/** What may be shown of a text that ought to be a URL: neither user info nor query. */
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
