import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Why a request is refused. */
export interface Refusal {
  readonly status: 401 | 403 | 415;
  readonly code: string;
  readonly message: string;
}

/** What is looked at of a request. */
export interface GuardedRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
}

/**
 * Decides who may ask the page's server: whoever has the token, from the page itself or from no page at
 * all. Other users of the machine, other web pages (also by a name that leads to 127.0.0.1) get nothing.
 */
export class Guard {
  /** What the address has that is printed. */
  readonly token: string = newToken();
  /** Tokens that are exchanged for the cookie once. */
  readonly #onceOnly = new Set<string>();
  /** The hosts by which the page is reached; none before the port is known. */
  #hosts: readonly string[] = [];
  #cookieName = '';

  /** Takes the port on which the server listens. */
  listensOn(port: number): void {
    this.#hosts = [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`];
    this.#cookieName = `longwire_page_${port}`;
  }

  /**
   * A token that is good for one exchange: it may stand among the words of a process, where other users
   * of the machine see it.
   */
  createOnceOnly(): string {
    const token = newToken();
    this.#onceOnly.add(token);
    return token;
  }

  /** The cookie for whoever opens the page with a token in its address; `undefined` for a wrong token. */
  exchange(token: string): string | undefined {
    if (!this.#onceOnly.delete(token) && !isEqual(token, this.token)) return undefined;
    return `${this.#cookieName}=${this.token}; HttpOnly; SameSite=Strict; Path=/`;
  }

  /** Why a request may not come from where it comes, token or not. */
  refuseOrigin({ headers }: GuardedRequest): Refusal | undefined {
    const { host = '', origin } = headers;
    if (!this.#hosts.includes(host.toLowerCase())) {
      return forbidden(
        'wrong-host',
        'This server answers to its own address on this machine only.',
      );
    }
    if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) {
      return forbidden('wrong-origin', 'This server answers to its own page only.');
    }
    return undefined;
  }

  /** Why a request of an allowed origin is refused. */
  refuse(request: GuardedRequest): Refusal | undefined {
    if (!this.#hasToken(request.headers)) {
      const message = 'Open the address that longwire dash has printed: it has the token.';
      return { status: 401, code: 'unauthorized', message };
    }
    return refuseForm(request);
  }

  #hasToken({ authorization = '', cookie = '' }: IncomingHttpHeaders): boolean {
    const [, bearer] = /^Bearer (\S+)$/i.exec(authorization) ?? [];
    if (bearer !== undefined) return isEqual(bearer, this.token);
    return cookie.split(';').some((pair) => {
      const [name = '', value = ''] = pair.trim().split('=', 2);
      return name === this.#cookieName && isEqual(value, this.token);
    });
  }
}

/**
 * Why a request that does something is not taken for one of the page. A form can send neither the header nor
 * the type, and a script of another page only after a preflight, which is refused.
 */
export function refuseForm({ method, headers }: GuardedRequest): Refusal | undefined {
  if (method === 'GET' || method === 'HEAD') return undefined;
  if (headers['x-longwire-page'] !== '1') {
    return forbidden('missing-header', 'A request that does something needs x-longwire-page: 1.');
  }
  if (!/^application\/json(?:\s*;|$)/i.test(headers['content-type'] ?? '')) {
    const message = 'A request that does something is application/json.';
    return { status: 415, code: 'wrong-type', message };
  }
  return undefined;
}

function forbidden(code: string, message: string): Refusal {
  return { status: 403, code, message };
}

function newToken(): string {
  return randomBytes(24).toString('base64url');
}

/** Compares without telling by its time how much of it is right. */
function isEqual(given: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(right));
}
