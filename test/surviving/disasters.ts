import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../support/until.ts';
import { LIMIT_MS, type Cell, type Rig, type WayName } from './cells.ts';

/** What is done while the tool writes. */
export interface Disaster {
  readonly title: string;
  /** Does it to a write that takes so long. */
  strike(rig: Rig, writeMs: number): Promise<void>;
  /** What must come of it, by way; nothing where it cannot happen: over stdio there is no network. */
  readonly expected: Readonly<Record<WayName, Expected | undefined>>;
}

/** What must come of a write. `lost`: an error that says that nobody knows. */
export type Expected = 'result' | 'lost' | 'not known';

/** How often the network is cut in one write. */
const CUTS = 20;
const SETTLING_MS = 500;

const EVERYWHERE = { sse: 'result', call: 'result', task: 'result', modern: 'result' } as const;
/** A task has a record of its own. */
const TASKS_ONLY = { sse: 'lost', call: 'lost', task: 'result', modern: 'result' } as const;
const NOWHERE = { sse: 'lost', call: 'lost', task: 'lost', modern: 'lost' } as const;

async function cutAgainAndAgain(rig: Rig, writeMs: number): Promise<void> {
  for (let cut = 1; cut <= CUTS && !rig.isOver; cut++) {
    rig.network.cutAll();
    await delay(writeMs / CUTS);
  }
}

async function restartCaller(rig: Rig): Promise<void> {
  await rig.killCaller();
  rig.startCaller();
}

async function restartServer(rig: Rig, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  await rig.stopServer(signal);
  // Over stdio the program starts it, if it needs it.
  if (rig.hasNetwork) await rig.startServer();
}

/** The columns of the table. */
export const DISASTERS: readonly Disaster[] = [
  {
    title: 'connection cut once a second',
    strike: cutAgainAndAgain,
    expected: { ...EVERYWHERE, stdio: undefined },
  },
  {
    title: 'no network for a quarter of the time',
    strike: async (rig, writeMs) => {
      rig.network.refuse();
      rig.network.cutAll();
      await delay(writeMs / 4);
      await rig.network.resume();
    },
    expected: { ...EVERYWHERE, stdio: undefined },
  },
  {
    title: 'program killed and started again',
    strike: (rig) => restartCaller(rig),
    expected: {
      sse: 'not known',
      call: 'not known',
      task: 'result',
      modern: 'result',
      stdio: 'not known',
    },
  },
  {
    title: 'program killed, connection cut once a second',
    strike: async (rig, writeMs) => {
      await restartCaller(rig);
      await cutAgainAndAgain(rig, writeMs);
    },
    expected: {
      sse: 'not known',
      call: 'not known',
      task: 'result',
      modern: 'result',
      stdio: undefined,
    },
  },
  {
    title: 'server killed in the middle and started again',
    strike: async (rig, writeMs) => {
      await delay(writeMs / 4);
      await restartServer(rig, 'SIGKILL');
    },
    expected: { ...NOWHERE, stdio: 'lost' },
  },
  {
    title: 'server stopped in the middle and started again',
    strike: async (rig, writeMs) => {
      await delay(writeMs / 4);
      await restartServer(rig, 'SIGTERM');
    },
    expected: { ...NOWHERE, stdio: undefined },
  },
  {
    title: 'server killed at the end, before its answer was fetched, and started again',
    strike: async (rig) => {
      rig.network.refuse();
      rig.network.cutAll();
      await until(() => rig.isWritten, LIMIT_MS);
      // The answer is kept a moment later.
      await delay(SETTLING_MS);
      await restartServer(rig, 'SIGKILL');
      await rig.network.resume();
    },
    expected: { ...TASKS_ONLY, stdio: undefined },
  },
];

/** What came of a write: a word of {@link Expected}, or what should never come of one. */
export function comeOf({ outcome, begun, written }: Cell): string {
  const ran = `began ${begun} times, ended ${written} times`;
  if (begun !== 1) return ran;
  switch (outcome.is) {
    case 'result':
      return outcome.text === 'written ledger' && written === 1
        ? 'result'
        : `${outcome.text}: ${ran}`;
    case 'error':
      return outcome.certainty === 'outcome-unknown'
        ? 'lost'
        : `${outcome.code}, ${outcome.certainty}`;
    case 'not known':
      return 'not known';
  }
}
