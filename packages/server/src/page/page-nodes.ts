import type { FastifyBaseLogger } from 'fastify';
import type { NodeMessage } from '../cluster/cluster.js';
import type { JoinedCluster } from '../cluster/joined-cluster.js';
import { inBackground } from '../operate/log.js';

/** The nodes of a cluster, by which the page of one shows what all do. */
export interface PageNodes {
  /** The name of this node. */
  readonly name: string;
  /** The names of the others. Some may be gone by now. Rejected while the store of the cluster is away. */
  others(): Promise<readonly string[]>;
  /**
   * Sends what JSON can hold to the page of a node, which gets it once, and in order. It is made JSON before
   * this returns. `false` if that node is gone; rejected while the store of the cluster is away.
   */
  send(to: string, body: object): Promise<boolean>;
  /** Has the page hear what others send to it, and which of those that it sent something to are gone. */
  listen(hears: {
    readonly received: (body: unknown, from: string) => void;
    readonly gone: (node: string) => void;
  }): void;
}

/** What pages say to each other. Its form is theirs. */
interface PageMessage extends NodeMessage {
  readonly kind: 'page';
  readonly body: unknown;
}

/** The nodes of a cluster for the page of a mount; `undefined` where nodes do not talk to each other. */
export function pageNodes(cluster: JoinedCluster, log: FastifyBaseLogger): PageNodes | undefined {
  const { node } = cluster;
  if (node.sealing !== undefined) return undefined;
  return {
    name: node.name,
    others: () => node.nodes(),
    send: (to, body) => {
      const message: PageMessage = { kind: 'page', session: '', body };
      return cluster.send(to, message);
    },
    listen: ({ received, gone }) => {
      // Others hear the same after it.
      const hear = (act: () => void): void =>
        inBackground(log, 'the page could not take what another node said', act);
      cluster.add({
        received: (message, from) => {
          if (message.kind === 'page') hear(() => received((message as PageMessage).body, from));
        },
        gone: (other) => hear(() => gone(other)),
      });
    },
  };
}
