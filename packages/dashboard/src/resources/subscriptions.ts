import { computed, type ReadonlySignal } from '@preact/signals';
import type { Subscription } from '@longwire/recording';
import { ask } from '../state/api.js';
import { feed } from '../state/page.js';

/** A subscription, and the server that has it. */
export interface ServerSubscription {
  readonly server: string;
  readonly subscription: Subscription;
}

let latest: readonly ServerSubscription[] = [];

/** All subscriptions, whichever page switched them on; the same list until one changes. */
export const subscriptions: ReadonlySignal<readonly ServerSubscription[]> = computed(() => {
  void feed.version('servers').value;
  const list = [...feed.picture.servers.values()].flatMap(({ name, subscriptions: own }) =>
    own.map((subscription) => ({ server: name, subscription })),
  );
  const isSame =
    list.length === latest.length &&
    list.every(
      ({ server, subscription }, index) =>
        latest[index]?.server === server && latest[index].subscription === subscription,
    );
  return isSame ? latest : (latest = list);
});

/** The subscription to a resource, if there is one. */
export function subscriptionOf(server: string, uri: string): Subscription | undefined {
  return subscriptions.value.find((one) => one.server === server && one.subscription.uri === uri)
    ?.subscription;
}

/** Switches a subscription on or off. The picture says so once the server has accepted it. @throws ApiError */
export async function subscribe(server: string, uri: string, on: boolean): Promise<void> {
  await ask('POST', `servers/${encodeURIComponent(server)}/subscribe`, { uri, on });
}
