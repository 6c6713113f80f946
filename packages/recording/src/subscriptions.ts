/** A resource of which the server says when it changes. */
export interface Subscription {
  readonly uri: string;
  /** When the server accepted it. */
  readonly at: number;
  /** How often the server said since then that the resource changed. */
  readonly updates: number;
  /** When it said so last. */
  readonly updatedAt?: number;
}

/** What of a call tells whether it changed a subscription. */
interface EndedCall {
  readonly method: string;
  readonly name?: string;
  readonly end?: { readonly at: number; readonly outcome: string };
}

/** Subscriptions of a server that are kept; what comes beyond them is not. */
const MAX_SUBSCRIPTIONS = 500;

/** The subscriptions after a call ended: only what the server accepted counts. */
export function afterCall(
  subscriptions: readonly Subscription[],
  { method, name: uri, end }: EndedCall,
): readonly Subscription[] {
  if (uri === undefined || end?.outcome !== 'result') return subscriptions;
  const isKnown = subscriptions.some((one) => one.uri === uri);
  switch (method) {
    case 'resources/subscribe':
      return isKnown || subscriptions.length >= MAX_SUBSCRIPTIONS
        ? subscriptions
        : [...subscriptions, { uri, at: end.at, updates: 0 }];
    case 'resources/unsubscribe':
      return isKnown ? subscriptions.filter((one) => one.uri !== uri) : subscriptions;
    default:
      return subscriptions;
  }
}

/** The subscriptions after the server said something unasked. What changed may be a part of the resource. */
export function afterNotification(
  subscriptions: readonly Subscription[],
  {
    method,
    params,
    at,
  }: { readonly method: string; readonly params?: unknown; readonly at: number },
): readonly Subscription[] {
  if (subscriptions.length === 0 || method !== 'notifications/resources/updated') {
    return subscriptions;
  }
  const uri = (params as { uri?: unknown } | null | undefined)?.uri;
  if (typeof uri !== 'string') return subscriptions;
  return subscriptions.map((one) =>
    uri === one.uri || uri.startsWith(one.uri.replace(/\/?$/, '/'))
      ? { ...one, updates: one.updates + 1, updatedAt: at }
      : one,
  );
}
