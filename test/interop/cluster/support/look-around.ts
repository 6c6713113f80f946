import { expect } from 'vitest';
import type { RunningCluster } from '../../../cluster/support/cluster.mjs';
import { until } from '../../../support/until.ts';
import type { OpenLooking } from './looking-client.ts';

/** What a client finds, whatever node its requests get to; what it has no way for is missing. */
export interface ClusterReport {
  list?: string[];
  call?: string;
  progress?: string[];
  /** Whether the tool was cancelled when the client left its call. */
  cancellation?: boolean;
  elicitation?: string;
  sampling?: string;
  /** Whether it was told that a resource had changed. */
  subscription?: boolean;
  /** The answer of a call in the middle of which every connection was cut. */
  resume?: string;
}

export const NOTE = 'note://one';
/** How long a call takes that is cancelled or cut in its middle: it ends sooner, or has a third of it left. */
const LONG_MS = 60_000;
const CUT_MS = 1_500;

/** What is true of the servers. */
export const WHOLE: Required<ClusterReport> = {
  list: [
    'add',
    'ask',
    'echo',
    'fail',
    'grow',
    'leave',
    'read',
    'sample',
    'steps',
    'touch',
    'whoami',
    'work',
    'work-again',
    'write',
  ],
  call: 'Echo: hé',
  progress: ['1/3', '2/3', '3/3'],
  cancellation: true,
  elicitation: 'Hello, Ada',
  sampling: 'It says: Paris',
  subscription: true,
  resume: 'write: cut',
};

/** The same without what a client does not do. */
export function wholeBut(...names: (keyof ClusterReport)[]): ClusterReport {
  const report: ClusterReport = { ...WHOLE };
  for (const name of names) delete report[name];
  return report;
}

/**
 * Has a client do all that is asked of it, by the names of the report.
 *
 * @param key tells its calls apart from those of others in the journal
 */
export async function lookAround(
  open: OpenLooking,
  cluster: RunningCluster,
  { key, wanted }: { key: string; wanted: ClusterReport },
): Promise<ClusterReport> {
  await using client = await open(cluster.origin);
  // Once on each node, at least.
  for (const { name } of cluster.nodes) {
    expect(await client.call('echo', { message: name })).toBe(`Echo: ${name}`);
  }
  const report: ClusterReport = {
    list: (await client.tools()).toSorted(),
    call: await client.call('echo', { message: 'hé' }),
  };
  if (wanted.progress) {
    const progress: string[] = [];
    await client.call('steps', {}, { onProgress: (step) => progress.push(step) });
    report.progress = progress;
  }
  if (wanted.cancellation) {
    const leaving = new AbortController();
    const args = { key: `${key}-left`, ms: LONG_MS };
    const call = client.call('write', args, { signal: leaving.signal });
    const left = expect(call).rejects.toThrow();
    await until(() => expect(did(cluster, args.key)).toEqual(['begins']));
    leaving.abort();
    await left;
    await until(() => expect(did(cluster, args.key)).toEqual(['begins', 'cancelled']));
    report.cancellation = true;
  }
  if (wanted.elicitation !== undefined) report.elicitation = await client.call('ask');
  if (wanted.sampling !== undefined) report.sampling = await client.call('sample');
  if (wanted.subscription) {
    await client.subscribe?.(NOTE);
    await client.call('touch');
    await until(() => expect(client.updates).toContain(NOTE));
    report.subscription = true;
  }
  if (wanted.resume !== undefined) {
    const args = { key: `${key}-cut`, ms: CUT_MS };
    const { promise: begun, resolve: begins } = deferred();
    const call = client.call('write', args, { onProgress: begins });
    await Promise.race([begun, call]);
    cluster.proxy.cut();
    const text = await call;
    report.resume = text.replace(`${key}-`, '');
    expect(did(cluster, args.key)).toEqual(['begins', 'ends']);
  }
  return report;
}

/** What the journal says of a call, in order. */
export function did(cluster: RunningCluster, key: string): string[] {
  return cluster.journal().flatMap((line) => (line.key === key ? [line.what] : []));
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
