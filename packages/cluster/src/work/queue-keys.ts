const KINDS = ['waiting', 'turns', 'running', 'shares', 'counts', 'nodes', 'workers'] as const;

const BULL = ['meta', 'id', 'events', 'marker', 'pc', 'wait', 'active', 'stalled'];

/** The name of the queue of BullMQ, below the prefix of ours. */
export const CALLS = 'calls';

/** The names of all that one queue has in Redis: one hash tag, so that Redis Cluster has it in one place. */
export class QueueKeys {
  readonly base: string;
  /** Of its slots, in the order in which the script has them. */
  readonly slots: readonly string[];

  /** @param prefix of all keys of the mount. */
  constructor(prefix: string, queue: string) {
    this.base = `${prefix}{queue:${encodeURIComponent(queue)}}`;
    this.slots = KINDS.map((kind) => `${this.base}:${kind}`);
  }

  /** The channel on which changes of its slots are told. */
  get changes(): string {
    return `${this.base}:changes`;
  }

  /** The channel on which workers are told what is cancelled. */
  get cancels(): string {
    return `${this.base}:cancels`;
  }

  /** Its workers, and until when they surely live. */
  get workers(): string {
    return `${this.base}:workers`;
  }

  /** The nodes that have something in it, and until when they surely live. */
  get nodes(): string {
    return `${this.base}:nodes`;
  }

  /** The channel on which a node is told of its calls. */
  node(node: string): string {
    return `${this.base}:node:${node}`;
  }

  /** The node of such a channel. */
  nodeOf(channel: string): string {
    return channel.slice(this.node('').length);
  }

  /** What a call came to. */
  answer(id: string): string {
    return `${this.base}:answer:${id}`;
  }

  /** There, if a call was cancelled. */
  cancelled(id: string): string {
    return `${this.base}:cancelled:${id}`;
  }

  /** A call as BullMQ has it. */
  job(id: string): string {
    return `${this.base}:${CALLS}:${id}`;
  }

  /** All that BullMQ keeps of a queue; a call is one more. */
  get bull(): string[] {
    return BULL.map((kind) => `${this.base}:${CALLS}:${kind}`);
  }
}
