import type { AuthInfo } from '@modelcontextprotocol/server';

/**
 * Whoever a request is made for. It is part of every key: sessions, resume keys, limits, queues, the
 * audit. What one principal opened, another never reaches.
 */
export interface Principal {
  /** Unique on the mount; appears in logs, so that it is no secret. */
  readonly id: string;
  /** What tools see as `ctx.http.authInfo`: the scopes, and a token for servers behind this one. */
  readonly authInfo?: AuthInfo;
}

/** Who is not named: one principal for each mount. */
export const ANONYMOUS: Principal = { id: 'anonymous' };

/** A value, or a promise of it where it is not at hand. */
export type MaybePromise<Value> = Value | Promise<Value>;
