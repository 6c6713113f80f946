import { inFlightOf, isSteady, type Backend, type Member } from './backend.js';

/** Where a call goes: to a connection, or to a new one, which may take the place of another. */
export type Choice = { take: Member } | { dial: Backend; instead?: Member };

/** By what it is chosen. */
export interface ChoiceRules {
  size: number;
  maxPerConnection: number;
  /** On the clock of `performance.now()`. */
  now: number;
}

/**
 * Chooses where a call goes, or `undefined`: it has to wait. The target with the fewest calls comes
 * first, and among equals the one that has waited longest for one; there a free connection, else a
 * new one. If there is neither, the least busy connection that may take one more; and last one that
 * was lost and tries to come back. A target that the call could not reach is not dialled for it again.
 */
export function choose(
  backends: readonly Backend[],
  tried: ReadonlySet<Backend>,
  rules: ChoiceRules,
): Choice | undefined {
  const order =
    backends.length === 1
      ? backends
      : backends
          .map((backend) => ({ backend, calls: inFlightOf(backend) }))
          .sort((a, b) => a.calls - b.calls || a.backend.usedAt - b.backend.usedAt)
          .map(({ backend }) => backend);
  const members = order.flatMap((backend) => [...backend.members]);
  const dialable = dialableOf(order, tried, members, rules.now);
  for (const backend of order) {
    const free = freeOf(backend);
    if (free !== undefined) return { take: free };
    if (!dialable.has(backend)) continue;
    if (members.length < rules.size) return { dial: backend };
    const spare = spareFor(backend, order);
    if (spare !== undefined) return { dial: backend, instead: spare };
  }
  const open = members.filter(({ tickets }) => tickets.size < rules.maxPerConnection);
  const least = leastBusy(open.filter(isSteady)) ?? leastBusy(open);
  return least && { take: least };
}

/**
 * Those that may be dialled: not left out. If nothing else is left, the one that is due first is
 * tried all the same. One that failed is tried by one call at a time.
 */
function dialableOf(
  order: readonly Backend[],
  tried: ReadonlySet<Backend>,
  members: readonly Member[],
  now: number,
): Set<Backend> {
  const untried = order.filter((backend) => !tried.has(backend));
  let candidates = untried.filter(({ leaveOut }) => leaveOut.until <= now);
  if (candidates.length === 0 && (tried.size > 0 || !members.some(isSteady))) {
    const [first] = untried.toSorted((a, b) => a.leaveOut.until - b.leaveOut.until);
    if (first !== undefined) candidates = [first];
  }
  return new Set(candidates.filter((backend) => !isOnTrial(backend)));
}

function isOnTrial({ leaveOut, members }: Backend): boolean {
  return leaveOut.isDoubtful && [...members].some(({ wasReady }) => !wasReady);
}

/** The one that was used last, so that those which are too many become idle and are closed. */
function freeOf({ members }: Backend): Member | undefined {
  let free: Member | undefined;
  for (const member of members) {
    if (member.tickets.size > 0 || !isSteady(member)) continue;
    if (free === undefined || member.usedAt > free.usedAt) free = member;
  }
  return free;
}

/**
 * A free connection that may give its place to one of this target: it was lost, or its target has
 * more than its share while this one has less.
 */
function spareFor(backend: Backend, order: readonly Backend[]): Member | undefined {
  const free = order
    .filter((other) => other !== backend)
    .flatMap(({ members }) => [...members])
    .filter(({ tickets }) => tickets.size === 0);
  const isRich = (member: Member): boolean =>
    member.backend.members.size > backend.members.size + 1;
  return free.find((member) => !isSteady(member)) ?? free.find(isRich);
}

function leastBusy(members: readonly Member[]): Member | undefined {
  let least: Member | undefined;
  for (const member of members) {
    if (least === undefined || member.tickets.size < least.tickets.size) least = member;
  }
  return least;
}
