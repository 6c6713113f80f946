import type { Picture } from '@longwire/recording';
import type { PageSource, ReplayPosition } from '../dash/page-source.js';

/** Since when what is shown is not what happens, and why. */
export interface Away {
  /** By the clock of what is shown, in milliseconds since 1970. */
  readonly since: number;
  readonly why: string;
}

/** What `top` shows: servers, a recording, or the page of another process. */
export interface TopSource extends Pick<PageSource, 'call' | 'control'> {
  readonly log: { readonly picture: Picture };
  /** Missing where nothing can be cancelled. */
  readonly servers?: { cancel(call: number): boolean | Promise<boolean> } | undefined;
  /** Where a replay is; `undefined` where what happens is shown. */
  readonly position?: ReplayPosition | undefined;
  /** How far the clock of what is shown is ahead of this one, in milliseconds. Default: 0. */
  readonly aheadMs?: number;
  readonly away?: Away | undefined;
}
