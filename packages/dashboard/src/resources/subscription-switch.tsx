import { counted, formatClock } from '@longwire/recording/shown';
import { CommandButton } from '../parts/command-button.js';
import { feed } from '../state/page.js';
import { subscribe, subscriptionOf } from './subscriptions.js';

/** Whether the server tells changes of a resource, how many it told, and the switch for that. */
export function SubscriptionSwitch({
  server,
  uri,
  readAt,
  read,
}: {
  server: string;
  uri: string;
  /** When what is shown was asked for; `undefined` while nothing is shown. */
  readAt: number | undefined;
  read: () => void;
}) {
  const subscription = subscriptionOf(server, uri);
  const { canCall } = feed.shows.value;
  const { updates = 0, updatedAt } = subscription ?? {};
  const isOld = readAt !== undefined && updatedAt !== undefined && updatedAt > readAt;
  return (
    <section class="subscription" aria-label="Subscription">
      <p class="buttons">
        <span role="status">
          {subscription === undefined ? '○ not subscribed' : '● subscribed'}
          {subscription !== undefined && updatedAt === undefined && ', no update yet'}
          {updatedAt !== undefined &&
            `, ${counted(updates, 'update')}, the latest at ${formatClock(updatedAt)}`}
        </span>
        {canCall && (
          <CommandButton run={() => subscribe(server, uri, subscription === undefined)}>
            {subscription === undefined ? 'Subscribe' : 'Unsubscribe'}
          </CommandButton>
        )}
      </p>
      {isOld && canCall && (
        <p class="buttons tone-warning">
          <span>▲ It has changed since it was read.</span>
          <button type="button" onClick={read}>
            Read it again
          </button>
        </p>
      )}
    </section>
  );
}
