import type { SharedCallOptions } from '../client/call.js';
import type { ToolSource, WhenAway } from '../client/types.js';
import type { BreakerOptions } from '../health/breaker.js';
import type { ToolSelector } from './tool-selection.js';
import type { GroupEvent } from './types.js';

/** What a member of a group is made with. */
export interface GroupMemberOptions {
  name: string;
  /** The prefix of its tools' names; none if empty. */
  prefix: string;
  /** Its address, as it may be shown. */
  target: string;
  source: ToolSource;
  /** The group made the source, and closes it. */
  isOwn: boolean;
  /** What calls do that say nothing of it, as the group's own client was told. */
  whenAway: WhenAway | undefined;
  /** Its hints are believed; `undefined`: if the source says so. */
  isTrusted: boolean | undefined;
  isDisabled: boolean;
  isLazy: boolean;
  maxInFlight: number;
  breaker: Required<BreakerOptions> | undefined;
  select: ToolSelector;
  shared: SharedCallOptions;
  emit: (event: GroupEvent) => void;
  /** Called when `tools` is a new list. */
  onTools: () => void;
}
