import type { Buffer } from 'node:buffer';

/** The proxy that is used: the environment's, or that at an address. */
export type ProxyOption = 'environment' | (string & {});

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
