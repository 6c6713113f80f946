import { createHash } from 'node:crypto';

const TAG_CHARS = 22;

/**
 * A short name that does not tell what it stands for: session ids are secrets, and what clients say may be
 * long and have braces.
 */
export function tagOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, TAG_CHARS);
}

/** The names of the keys of one mount. What is in braces decides the slot in a Redis Cluster. */
export class Keys {
  readonly prefix: string;

  constructor(prefix: string, mount: string) {
    const name = mount.replaceAll(/[{}\s]/g, '_').replace(/^\/+|\/+$/g, '');
    this.prefix = name === '' ? prefix : `${prefix}${name}:`;
  }

  /** What a session is, and who owns it. */
  session(tag: string): string {
    return `${this.prefix}s:{${tag}}`;
  }

  /** What a session said. */
  log(tag: string): string {
    return `${this.prefix}l:{${tag}}`;
  }

  /** Which session has a resume key. */
  resume(principal: string, resume: string): string {
    return `${this.prefix}r:{${tagOf(JSON.stringify([principal, resume]))}}`;
  }

  /** A node lives as long as this key. */
  lease(node: string): string {
    return `${this.prefix}lease:{${node}}`;
  }

  /** What other nodes tell a node. */
  inbox(node: string): string {
    return `${this.prefix}inbox:{${node}}`;
  }

  /** How many sessions a node has, in all and of each principal. */
  counts(node: string): string {
    return `${this.prefix}counts:{${node}}`;
  }

  /** The channel on which a node is told what sessions of others say. */
  events(node: string): string {
    return `${this.prefix}events:{${node}}`;
  }

  /** All nodes and workers, and the form of what is kept. */
  get members(): string {
    return `${this.prefix}members`;
  }

  /** The channel on which nodes say that they leave. */
  get leaving(): string {
    return `${this.prefix}leaving`;
  }

  /** Made once: another one means that Redis has lost what it had. */
  get epoch(): string {
    return `${this.prefix}epoch`;
  }

  /** What seals the state of requests that ask for input. */
  get stateKey(): string {
    return `${this.prefix}state-key`;
  }
}
