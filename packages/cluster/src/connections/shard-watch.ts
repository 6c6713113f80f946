import type { Cluster, Redis } from 'ioredis';

/** How often it is looked whether somebody else has the slots of a server that is gone. */
const LOOK_MS = 250;

/** What is told of the shards of a Redis Cluster. */
export interface ShardHandlers {
  /** The connection to a primary is lost. */
  readonly lost: () => void;
  /** Its slots have a primary that can be reached: it, or a replica that may lack what was written last. */
  readonly back: () => void;
}

/** Watches the primaries of a Redis Cluster: its client hides that one of them is away, and who comes after it. */
export function watchShards(cluster: Cluster, { lost, back }: ShardHandlers): void {
  cluster.on('-node', ({ options }: Redis) => {
    const key = `${options.host}:${options.port}`;
    const hasSlots = (): boolean => cluster.slots.some(([primary]) => primary === key);
    if (cluster.status !== 'ready' || !hasSlots()) return;
    lost();
    const isReached = (): boolean =>
      cluster
        .nodes('master')
        .some(
          (node) => `${node.options.host}:${node.options.port}` === key && node.status === 'ready',
        );
    const looking = setInterval(() => {
      // The client that comes after this one says that it is ready.
      if (cluster.status === 'close' || cluster.status === 'end') return clearInterval(looking);
      cluster.refreshSlotsCache();
      if (hasSlots() && !isReached()) return;
      clearInterval(looking);
      back();
    }, LOOK_MS).unref();
  });
}
