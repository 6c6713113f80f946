import type { MaybePromise, MountPage, Principal } from '@longwire/server';
import { KitWatch } from './dash/kit-watch.js';

/** Options of {@link page}. */
export interface PageOptions {
  /**
   * Who may open the page. It shows whoever opens it what all others call, so that there is no default.
   * Asked for each request of the page.
   */
  readonly allow: (principal: Principal) => MaybePromise<boolean>;
  /**
   * Whether arguments, results, texts of errors and of progress, and what servers say are kept and shown.
   * Otherwise the page has names, times and outcomes: no more than an audit. Default: `false`.
   */
  readonly values?: boolean;
}

const NAMES: ReadonlySet<string> = new Set(['allow', 'values']);

/**
 * The live page of a server kit, for its option `page`: it is below `/page` of the mount, and shows its
 * sessions and calls.
 *
 * ```ts
 * await serve({ create, auth, page: page({ allow: ({ id }) => id === 'operator' }) });
 * ```
 *
 * @throws TypeError that names the wrong option.
 */
export function page(options: PageOptions): MountPage {
  const { allow, values = false } = options;
  const unknown = Object.keys(options).find((name) => !NAMES.has(name));
  if (unknown !== undefined) {
    throw new TypeError(`page.${unknown} is not an option; there are ${[...NAMES].join(', ')}`);
  }
  if (typeof allow !== 'function') throw new TypeError('page.allow must be a function');
  if (typeof values !== 'boolean') throw new TypeError('page.values must be true or false');
  return { allow, watch: (mount) => new KitWatch(mount, { hasValues: values }) };
}
