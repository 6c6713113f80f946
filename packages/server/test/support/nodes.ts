import { serve, type ServeOptions, type Serving } from '../../src/index.ts';
import { open } from '../fixture.ts';
import { createSample, type Sample } from '../sample-server.ts';
import { MemoryCluster } from './memory-cluster.ts';

/** A process of a cluster. */
export interface ServedNode extends Serving {
  readonly name: string;
  /** Of the servers that it has made. */
  readonly samples: Sample[];
}

/** Serves the sample on several nodes of one cluster. */
export async function servingNodes(
  names: readonly string[],
  options: Partial<ServeOptions> = {},
): Promise<{ readonly cluster: MemoryCluster; readonly nodes: readonly ServedNode[] }> {
  const cluster = new MemoryCluster();
  const nodes: ServedNode[] = [];
  for (const name of names) {
    const samples: Sample[] = [];
    const served = await serve({
      create: () => {
        const sample = createSample();
        samples.push(sample);
        return sample.server;
      },
      ...options,
      cluster: cluster.member(name),
    });
    open.push(() => served.close());
    nodes.push({ ...served, name, samples });
  }
  return { cluster, nodes };
}
