import {
  createGroup,
  type Group,
  type GroupEvent,
  type GroupServers,
} from '../../src/group/index.ts';
import type { GroupOptions, ServerStatus } from '../../src/group/types.ts';
import { atTheEndOfEachTest, quick } from '../support/recovery.ts';

/** As for clients, and groups that are closed after each test. */
export function groupsOfThisFile(): ReturnType<typeof atTheEndOfEachTest> & {
  group: (servers: GroupServers, options?: GroupOptions) => Group;
} {
  const setting = atTheEndOfEachTest();
  return {
    ...setting,
    group: (servers, options = {}) =>
      setting.closeLater(createGroup(servers, { shared: quick, ...options })),
  };
}

/** Every event from now on. */
export function eventsOf(group: Group): GroupEvent[] {
  const events: GroupEvent[] = [];
  for (const kind of ['state', 'notification', 'toolsChanged', 'error'] as const) {
    group.on(kind, (event) => events.push(event));
  }
  return events;
}

/** The states that a server went through. */
export function statesIn(events: readonly GroupEvent[], server: string): string[] {
  return events.flatMap((event) =>
    event.type === 'state' && event.server === server ? [event.state.name] : [],
  );
}

/** How one server is doing. */
export function statusOf(group: Group, name: string): ServerStatus {
  const status = group.status().find((one) => one.name === name);
  if (status === undefined) throw new Error(`${name} is not in the group`);
  return status;
}

/** The names that the group lists. */
export async function namesOf(group: Group): Promise<string[]> {
  return (await group.listTools()).map(({ name }) => name);
}

/** A promise, and what fulfils it. */
export function latch(): { opened: Promise<void>; open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}
