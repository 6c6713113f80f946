import { expect, it } from 'vitest';
import { SimulatedCluster, type Setting } from '../../bench/scale/cluster.mjs';
import { readMeasured, simulate } from '../../bench/scale/index.mjs';

const SMALL: Partial<Setting> = {
  nodes: 3,
  shards: 1,
  sessions: 300,
  callsPerSecond: 300,
  streaming: 0.5,
};
const QUIET = { act: () => {}, untilMs: 6_000 };
const DEATH = { act: (cluster: SimulatedCluster) => cluster.kill(1), untilMs: 8_000 };

it('gives the same run for the same seed, and another one for another', () => {
  const [one, same, other] = [{ seed: 1 }, { seed: 1 }, { seed: 2 }].map(
    (seed) => simulate({ ...SMALL, ...seed }, DEATH).told,
  );
  expect(same).toEqual(one);
  expect(other?.latencies).not.toEqual(one?.latencies);
});

it('accounts for each call, whoever dies', () => {
  for (const nodes of [2, 3, 10]) {
    for (const dead of [0, 1, nodes - 1]) {
      const act = (cluster: SimulatedCluster): void => cluster.kill(dead);
      const { told } = simulate({ ...SMALL, nodes }, { ...DEATH, act });
      expect(told.answered + told.unknown, `${dead} of ${nodes}`).toBe(told.sent);
      expect(told.taken > 0, `${dead} of ${nodes}`).toBe(dead > 0);
    }
  }
});

it('takes a session over once, however many calls meet it at once', () => {
  const hot = (cluster: SimulatedCluster): void => {
    cluster.heat({ callsPerSecond: 500, untilMs: 8_000 });
    cluster.kill(1);
  };
  const { told } = simulate({ ...SMALL, sessions: 1, streaming: 0 }, { ...DEATH, act: hot });
  expect(told.taken).toBe(1);
});

it('interrupts nobody for much longer than a lease, and nobody while no node dies', () => {
  const { leaseMs, retryMs } = { leaseMs: 2_000, retryMs: 1_000 };
  expect(simulate(SMALL, QUIET).told.longestMs).toBeLessThan(retryMs / 10);
  const { longestMs } = simulate({ ...SMALL, leaseMs, retryMs }, DEATH).told;
  expect(longestMs).toBeGreaterThan(leaseMs / 2);
  expect(longestMs).toBeLessThan(leaseMs * 1.5 + retryMs);
});

it('comes out where three real nodes did', () => {
  const { threeNodes } = readMeasured();
  // One call after the other, as the benchmark makes them.
  const calm = { ...SMALL, callsPerSecond: 20 };
  const here = simulate({ ...calm, stickiness: 1 }, QUIET);
  const elsewhere = simulate({ ...calm, nodes: 100, sessions: 1_000 }, QUIET);
  const dead = simulate(SMALL, DEATH);
  const ratios = {
    here: here.p50 / threeNodes.hereP50Ms,
    elsewhere: elsewhere.p50 / threeNodes.elsewhereP50Ms,
    interruption: dead.told.longestMs / threeNodes.longestAfterKillMs,
  };
  for (const [name, ratio] of Object.entries(ratios)) {
    expect(ratio, name).toBeGreaterThan(1 / 2);
    expect(ratio, name).toBeLessThan(2);
  }
});
