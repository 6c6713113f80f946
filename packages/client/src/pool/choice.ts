import { inFlightOf, isSteady, type PoolTarget, type PooledConnection } from './target.js';

/** Where a call goes: to a connection, or to a new one, which may replace another. */
export type Choice = { take: PooledConnection } | { dial: PoolTarget; instead?: PooledConnection };

/** By what it is chosen. */
export interface ChoiceOptions {
  size: number;
  maxPerConnection: number;
  /** On the clock of `performance.now()`. */
  now: number;
}

/**
 * Chooses where a call goes; `undefined`: it has to wait.
 *
 * Targets are asked in order: the one with the fewest calls first, among equals the one that has
 * waited longest for a call. A target that the call could not reach is not dialled for it again.
 *
 * 1. A free connection of that target, else a new one.
 * 2. The least busy connection that may take one more call.
 * 3. A connection that was lost and reconnects.
 */
export function choose(
  targets: readonly PoolTarget[],
  tried: ReadonlySet<PoolTarget>,
  { size, maxPerConnection, now }: ChoiceOptions,
): Choice | undefined {
  const order =
    targets.length === 1
      ? targets
      : targets
          .map((target) => ({ target, calls: inFlightOf(target) }))
          .sort((a, b) => a.calls - b.calls || a.target.usedAt - b.target.usedAt)
          .map(({ target }) => target);
  const all = order.flatMap(({ connections }) => [...connections]);
  const dialable = dialableOf(order, tried, all, now);
  for (const target of order) {
    const free = freeOf(target);
    if (free !== undefined) return { take: free };
    if (!dialable.has(target)) continue;
    if (all.length < size) return { dial: target };
    const spare = spareFor(target, order);
    if (spare !== undefined) return { dial: target, instead: spare };
  }
  const open = all.filter(({ calls }) => calls.size < maxPerConnection);
  const least = leastBusy(open.filter(isSteady)) ?? leastBusy(open);
  return least && { take: least };
}

/**
 * The targets that may be dialled: those that are not ejected. If nothing else is left, the one
 * whose ejection ends first is tried all the same. One that failed is tried by one call at a time.
 */
function dialableOf(
  order: readonly PoolTarget[],
  tried: ReadonlySet<PoolTarget>,
  all: readonly PooledConnection[],
  now: number,
): Set<PoolTarget> {
  const untried = order.filter((target) => !tried.has(target));
  let candidates = untried.filter(({ ejection }) => ejection.until <= now);
  if (candidates.length === 0 && (tried.size > 0 || !all.some(isSteady))) {
    const [first] = untried.toSorted((a, b) => a.ejection.until - b.ejection.until);
    if (first !== undefined) candidates = [first];
  }
  return new Set(candidates.filter((target) => !isOnTrial(target)));
}

function isOnTrial({ ejection, connections }: PoolTarget): boolean {
  return ejection.isDoubtful && [...connections].some(({ wasReady }) => !wasReady);
}

/** The one that was used last, so that those which are too many become idle and are closed. */
function freeOf({ connections }: PoolTarget): PooledConnection | undefined {
  let free: PooledConnection | undefined;
  for (const connection of connections) {
    if (connection.calls.size > 0 || !isSteady(connection)) continue;
    if (free === undefined || connection.usedAt > free.usedAt) free = connection;
  }
  return free;
}

/**
 * A free connection that may be replaced by one to this target: it was lost, or its target has
 * more than its share while this one has less.
 */
function spareFor(target: PoolTarget, order: readonly PoolTarget[]): PooledConnection | undefined {
  const free = order
    .filter((other) => other !== target)
    .flatMap(({ connections }) => [...connections])
    .filter(({ calls }) => calls.size === 0);
  const isRich = (connection: PooledConnection): boolean =>
    connection.target.connections.size > target.connections.size + 1;
  return free.find((connection) => !isSteady(connection)) ?? free.find(isRich);
}

function leastBusy(connections: readonly PooledConnection[]): PooledConnection | undefined {
  let least: PooledConnection | undefined;
  for (const connection of connections) {
    if (least === undefined || connection.calls.size < least.calls.size) least = connection;
  }
  return least;
}
