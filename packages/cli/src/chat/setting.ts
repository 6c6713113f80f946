import type { Agent } from '@longwire/agent';
import type { Context } from '../context.js';
import type { MediaFolder } from '../save-media.js';
import type { Attachments } from './attachments.js';
import type { Servers } from './servers.js';
import type { UsageTally } from './usage-tally.js';

/** What the commands of the prompt work on. */
export interface SlashSetting {
  context: Context;
  servers: Servers;
  media: MediaFolder;
  /** Claude; undefined if there is no key. */
  agent: Agent | undefined;
  /** What goes with the next question. */
  attachments: Attachments;
  /** The tokens of the conversation. */
  usage: UsageTally;
}
