import type { HeadersOption, OutgoingRequest } from './channel-options.js';
import { checkObject, checkOptionNames, checkText } from './checks.js';
import { checkOptions, type DefaultTable, type OptionTable } from './option.js';

/** How a principal shows the server who it is, over HTTP. */
export interface PrincipalCredentials {
  /**
   * Sent with every HTTP request of the principal, over the client's own of the same name. If one of
   * them is a credential (`authorization`, `cookie`, a key or a token by its name), or if this is a
   * function, the principal has credentials of its own. Default: none.
   */
  headers?: HeadersOption;
  /**
   * Sent as `Authorization: Bearer …` with every HTTP request of the principal. A function is asked for
   * every attempt, and once more when the server answers with 401. Default: none.
   */
  token?: string | ((request: OutgoingRequest) => string | Promise<string>);
}

/** A principal, as an operation names it. */
export interface PrincipalOption extends PrincipalCredentials {
  /** Who it is: any text of the program that stands for one user alone. */
  id: string;
}

/** How many principals a client serves, and for how long. */
export interface PrincipalsOptions {
  /**
   * How many principals may have a session at a time. When one more needs one, that which has been idle
   * for longest is closed; if none is idle, the call waits within its limits. Default 1 000.
   */
  maxSessions?: number;
  /**
   * How long a principal's session may be idle until it is closed, in milliseconds. One with listeners
   * or subscriptions is not idle. 0: as soon as the program, told of the last result, has asked for
   * nothing else in the same turn. `Infinity`: never. Default 60 000.
   */
  idleMs?: number;
}

export const PRINCIPALS: DefaultTable<PrincipalsOptions> = {
  maxSessions: {
    kind: 'count',
    min: 1,
    default: 1000,
    sentence: 'How many principals may have a session at a time',
  },
  idleMs: {
    kind: 'duration',
    min: 0,
    default: 60_000,
    sentence: "How long a principal's session may be idle until it is closed, in milliseconds",
  },
};

export const CREDENTIALS: OptionTable<PrincipalCredentials> = {
  headers: {
    kind: 'other',
    otherwise: 'none',
    sentence: 'Sent with every HTTP request of the principal',
  },
  token: {
    kind: 'other',
    otherwise: 'none',
    sentence: 'Sent as `Authorization: Bearer …` with every HTTP request of the principal',
  },
};

/**
 * Checks the option `principal` of an operation, but for what `as` checks.
 *
 * @throws TypeError that names what is wrong, and says what to do.
 */
export function checkPrincipalOption(principal: unknown): void {
  if (principal === undefined) return;
  if (typeof principal === 'string') {
    throw new TypeError("principal: not an object; write principal: { id: 'its name' }");
  }
  checkObject('principal', principal);
  checkOptionNames(principal, ['id', ...Object.keys(CREDENTIALS)], 'principal.');
  if (!('id' in principal)) throw new TypeError('principal.id: is missing: the name of a user');
}

/** A principal is the key of what is kept for it. */
const MAX_ID_LENGTH = 1024;

/**
 * Checks who a principal is said to be, but for the headers themselves.
 *
 * @throws TypeError that names what is wrong, and says what to do.
 */
export function checkPrincipal(
  id: string,
  credentials: PrincipalCredentials | undefined,
  { hasHeaders }: { hasHeaders: boolean },
): void {
  const of = 'as';
  if (typeof id !== 'string' || id.trim() === '') {
    throw new TypeError(
      `${of}: it needs the name of a user; leave it out for calls that are made for nobody`,
    );
  }
  if (id.length > MAX_ID_LENGTH) {
    throw new TypeError(`${of}: the name of a user has at most ${MAX_ID_LENGTH} characters`);
  }
  if (credentials === undefined) return;
  checkOptions(credentials, CREDENTIALS, of);
  const { headers, token } = credentials;
  if (token !== undefined && typeof token !== 'function') checkText(`${of}.token`, token);
  if (!hasHeaders && (headers ?? token) !== undefined) {
    throw new TypeError(
      `${of}: headers and a token go with HTTP requests, and this server is not reached by HTTP: leave ` +
        'them out; each principal has a process or a server of its own',
    );
  }
  if (token === undefined || headers === undefined || typeof headers === 'function') return;
  const [both] = Object.keys(headers).filter((name) => name.toLowerCase() === 'authorization');
  if (both !== undefined) {
    throw new TypeError(`${of}: token and headers.${both} say the same; give one of them`);
  }
}
