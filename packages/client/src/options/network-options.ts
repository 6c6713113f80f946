import type { Buffer } from 'node:buffer';

/**
 * The proxy that is used: that at an address (`http://` or `https://`; a user name and a password may stand
 * before the host), for every server; that of the process's variables (`'environment'`); or that of
 * variables which a program gives.
 */
export type ProxyOption = 'environment' | (string & {}) | ProxyVariables;

/**
 * `HTTP_PROXY` for servers at http, `HTTPS_PROXY` for those at https, and `NO_PROXY` for those that are
 * reached without: names with all below them, addresses, networks as `10.0.0.0/8`, `*`. Names in small
 * letters come first. Servers on this machine are reached without.
 */
export type ProxyVariables = Readonly<Record<string, string | undefined>>;

/** Text in the format PEM, or the bytes of it. */
export type Pem = string | Buffer;

/** How servers of https are trusted, and who the client says that it is. */
export interface TlsOptions {
  /**
   * Certificates (PEM) of authorities that are trusted beside those that Node trusts: those of a
   * company. Default: none.
   */
  ca?: Pem | readonly Pem[];
  /**
   * The certificate (PEM) by which the client identifies itself, with the rest of its chain after it. It
   * needs `key`. Default: none.
   */
  cert?: Pem;
  /** The private key (PEM) of `cert`. Default: none. */
  key?: Pem;
  /** What `key` is encrypted with. Default: it is not. */
  passphrase?: string;
  /**
   * The name that a server's certificate has to be for, which is also what the server is told in TLS.
   * Default: that of its URL.
   */
  servername?: string;
  /**
   * Whether only servers are talked to whose certificate can be verified. With `false`, whoever is on
   * the way can read and change everything. Default `true`.
   */
  rejectUnauthorized?: boolean;
}
