import type { ClusterNode, NodeHandlers, NodeMessage } from './cluster.js';

/** What a node of a cluster has done since it joined. */
export interface ClusterStats {
  /** Whether the store of the cluster answers. */
  readonly isUp: boolean;
  /** Sessions that this node has taken over from one that died, left or let them go. */
  readonly takenOver: number;
  /** Sessions that it has let go. */
  readonly letGo: number;
  /** Sessions that others took while it could not be heard. */
  readonly lost: number;
  readonly messagesSent: number;
  readonly messagesReceived: number;
  /** How long the store could not be reached, in milliseconds. */
  readonly awayMs: number;
}

/** How often it is looked whether the store answers. */
const LOOK_MS = 500;

/** The cluster that a mount has joined: its node, and the parts of the mount that hear of others. */
export class JoinedCluster implements NodeHandlers {
  readonly counts = { takenOver: 0, letGo: 0, lost: 0, messagesSent: 0, messagesReceived: 0 };
  #node: ClusterNode | undefined;
  readonly #parts = new Set<Partial<NodeHandlers>>();
  #awayMs = 0;
  #looking: NodeJS.Timeout | undefined;

  get node(): ClusterNode {
    if (this.#node === undefined) throw new Error('the node has not joined yet');
    return this.#node;
  }

  /** Takes the node that was given for it, which hands what it learns to this. */
  joined(node: ClusterNode): void {
    this.#node = node;
    this.#looking = setInterval(() => {
      if (!node.isUp) this.#awayMs += LOOK_MS;
    }, LOOK_MS).unref();
  }

  get stats(): ClusterStats {
    return { isUp: this.node.isUp, ...this.counts, awayMs: this.#awayMs };
  }

  /** Has a part hear what the node learns: each part hears everything. */
  add(part: Partial<NodeHandlers>): void {
    this.#parts.add(part);
  }

  /** Sends a message to the inbox of a node; `false` if that node is gone. */
  send(to: string, message: NodeMessage): Promise<boolean> {
    this.counts.messagesSent++;
    return this.node.send(to, message);
  }

  received(message: NodeMessage, from: string): void {
    this.counts.messagesReceived++;
    for (const part of this.#parts) part.received?.(message, from);
  }

  published(...told: Parameters<NodeHandlers['published']>): void {
    for (const part of this.#parts) part.published?.(...told);
  }

  missed(): void {
    for (const part of this.#parts) part.missed?.();
  }

  gone(node: string): void {
    for (const part of this.#parts) part.gone?.(node);
  }

  lost(sessionId: string): void {
    for (const part of this.#parts) part.lost?.(sessionId);
  }

  /** Leaves: what it still owns may be taken. */
  async leave(): Promise<void> {
    clearInterval(this.#looking);
    await this.#node?.leave();
  }
}
