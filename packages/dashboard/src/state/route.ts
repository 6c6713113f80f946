import { signal } from '@preact/signals';

/** The views of the page, in the order of their tabs. */
export const VIEWS = [
  'overview',
  'timeline',
  'calls',
  'events',
  'tools',
  'resources',
  'compare',
] as const;

/** A view of the page. */
export type ViewName = (typeof VIEWS)[number];

/** What the views are called. */
export const VIEW_TITLES: Readonly<Record<ViewName, string>> = {
  overview: 'Overview',
  timeline: 'Timeline',
  calls: 'Calls',
  events: 'Events',
  tools: 'Tools',
  resources: 'Resources',
  compare: 'Compare',
};

/** A view, and what is opened in it: a call's number, or a server and a tool. */
export interface Route {
  readonly view: ViewName;
  readonly parts: readonly string[];
}

/** Where the page is; the hash of its address says the same. */
export const route = signal<Route>(routeOf(hash()));

/** Follows the address, which the Back key changes. */
export function followAddress(): void {
  addEventListener('hashchange', () => {
    route.value = routeOf(hash());
  });
}

/** Opens a view, and something in it. */
export function openView(view: ViewName, ...parts: readonly (string | number)[]): void {
  location.hash = hrefOf(view, ...parts);
}

/** The address of a view. */
export function hrefOf(view: ViewName, ...parts: readonly (string | number)[]): string {
  return `#/${[view, ...parts].map((part) => encodeURIComponent(String(part))).join('/')}`;
}

/** What an address names; the overview, if it names nothing. */
export function routeOf(address: string): Route {
  const [name, ...parts] = address.replace(/^#?\/?/, '').split('/');
  const view = VIEWS.find((one) => one === name) ?? 'overview';
  return { view, parts: parts.map(decoded) };
}

function hash(): string {
  return globalThis.location?.hash ?? '';
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
