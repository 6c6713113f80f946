import type { FastifyInstance } from 'fastify';
import type { CallGate } from '../calls/call.js';
import { checkObject } from '../check-options.js';
import type { KitObserver } from '../operate/observer.js';
import type { MaybePromise, Principal } from '../principal.js';
import type { PageNodes } from './page-nodes.js';

/** What shows mounts on a page. It may be given to several mounts, and then shows them all. */
export interface MountPage {
  /** Whether this principal may open the page, which shows what others call. Asked for each request. */
  allow(principal: Principal): MaybePromise<boolean>;
  /** Begins to show a mount; called once for each, before it serves. */
  watch(mount: WatchedMount): MountWatch;
}

/** A mount that is to be shown. */
export interface WatchedMount {
  readonly prefix: string;
  /** The nodes of its cluster; missing where it is alone. */
  readonly nodes?: PageNodes | undefined;
}

/** One mount, as a page shows it. */
export interface MountWatch {
  /** Told of every call: the outermost of the gates. */
  readonly gate: CallGate;
  /** Told of sessions, and of what servers say. */
  readonly observer: KitObserver;
  /**
   * Adds the routes of the page to a part of the application that has a prefix of its own. What comes there
   * is authenticated and allowed.
   */
  register(app: FastifyInstance): MaybePromise<void>;
  /** Ends whatever it has open: the mount stops, or closes. May be called again. */
  close(): MaybePromise<void>;
}

/**
 * The option `page`.
 *
 * @throws TypeError that names what is wrong: a page without `allow` would be open to everybody.
 */
export function checkPage(given: MountPage | undefined): MountPage | undefined {
  if (given === undefined) return undefined;
  const members = checkObject('page', given);
  const wrong = ['allow', 'watch'].find((name) => typeof members[name] !== 'function');
  if (wrong === undefined) return given;
  throw new TypeError(`page.${wrong} must be a function`);
}
