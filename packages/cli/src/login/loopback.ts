import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { usageError } from '../command-error.js';
import { loginPage } from './login-page.js';

/** What came back from the authorization server, and how the person is told what became of it. */
export interface Callback {
  readonly parameters: URLSearchParams;
  /** Shows the last page. */
  readonly tell: (outcome: { error?: string }) => void;
}

/** Where it comes back to unless the client has another redirect. */
const CALLBACK = new URL('http://127.0.0.1/callback');

/**
 * The redirect of a login, on a port of this machine, as
 * https://www.rfc-editor.org/rfc/rfc8252#section-7.3 has it. It takes one callback: a navigation of a
 * browser, to this very address, with the state of this login.
 */
export class Loopback implements AsyncDisposable {
  readonly #server: Server;
  /** With the port. */
  readonly #redirect: URL;
  #start: { path: string; to: URL } | undefined;
  #state: string | undefined;
  #take: ((callback: Callback) => void) | undefined;

  private constructor(server: Server, redirect: URL) {
    this.#server = server;
    this.#redirect = new URL(redirect);
    this.#redirect.port = String((server.address() as AddressInfo).port);
    server.on('request', (request, response) => this.#answer(request, response));
  }

  /**
   * Listens on 127.0.0.1, on a free port unless the redirect has one.
   *
   * @throws LongwireError (usage) for a port that is taken.
   */
  static async listen(redirect: URL = CALLBACK): Promise<Loopback> {
    const server = createServer({ maxHeaderSize: 64 * 1024, requestTimeout: 10_000 });
    try {
      await once(server.listen(Number(redirect.port), '127.0.0.1'), 'listening');
    } catch (cause) {
      const { message } = cause as Error;
      throw usageError(`--redirect ${redirect.href} cannot be used: ${message}`, { cause });
    }
    return new Loopback(server, redirect);
  }

  /** Where the authorization server sends the browser. */
  get redirectUrl(): string {
    return this.#redirect.href;
  }

  /**
   * Waits for the callback of one login.
   *
   * @returns the address that leads a browser there, once. It has no secret of the login, and no
   * character that a shell takes apart.
   */
  expect({ to, state }: { to: URL; state: string }): {
    address: string;
    callback: Promise<Callback>;
  } {
    const path = `/${randomBytes(16).toString('hex')}`;
    this.#start = { path, to };
    this.#state = state;
    const callback = new Promise<Callback>((resolve) => (this.#take = resolve));
    return { address: `${this.#redirect.origin}${path}`, callback };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    // The last page is on its way.
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), 1000);
    await closed;
    clearTimeout(timer);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { method, headers, url = '' } = request;
    // Another name for this address is a page of somebody else.
    const isOwn = headers.host === this.#redirect.host;
    const mode = headers['sec-fetch-mode'];
    const isNavigation =
      method === 'GET' && headers.origin === undefined && (mode ?? 'navigate') === 'navigate';
    if (!isOwn || !isNavigation || !url.startsWith('/')) {
      return show(response, 403, 'This is not for you', 'Only a browser comes here, by itself.');
    }
    const { pathname, searchParams } = new URL(url, this.#redirect.origin);
    if (pathname === this.#start?.path) {
      const { to } = this.#start;
      this.#start = undefined;
      response.writeHead(302, { ...HEADERS, location: to.href }).end();
      return;
    }
    if (pathname !== this.#redirect.pathname) {
      const what = 'The address is wrong, or was used already. Run longwire login again.';
      return show(response, 404, 'There is nothing here', what);
    }
    const take = this.#take;
    if (take === undefined || searchParams.get('state') !== this.#state) {
      const what = 'It belongs to no login that waits here. Nothing was done.';
      return show(response, 400, 'This is another login', what);
    }
    this.#take = undefined;
    take({
      parameters: searchParams,
      tell: ({ error }) =>
        error === undefined
          ? show(response, 200, 'You are logged in', 'You can close this window.')
          : show(response, 200, 'You are not logged in', `${error}. You can close this window.`),
    });
  }
}

/**
 * The redirect that a registered client has.
 *
 * @throws LongwireError (usage) for one that does not come back to this machine.
 */
export function parseRedirect(word: string): URL {
  const url = URL.canParse(word) ? new URL(word) : undefined;
  const isLoopback = url?.hostname === '127.0.0.1' || url?.hostname === 'localhost';
  if (url?.protocol === 'http:' && isLoopback && url.search === '' && url.username === '')
    return url;
  throw usageError(
    `--redirect "${word}" does not lead to this machine: write one such as http://localhost:8080/callback`,
  );
}

const HEADERS = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  connection: 'close',
} as const;

function show(response: ServerResponse, status: number, title: string, text: string): void {
  response
    .writeHead(status, {
      ...HEADERS,
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
      'x-content-type-options': 'nosniff',
    })
    .end(loginPage(title, text));
}
