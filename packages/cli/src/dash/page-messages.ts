import type { CallPicture, RecordedLine } from '@longwire/recording';
import type { PictureExcerpt } from './picture-excerpt.js';

/** Of the messages below. Nodes are upgraded one by one: what another version says is not shown. */
export const PAGE_MESSAGES_VERSION = 1;

/** What the page of one node says to that of another. `look` names one time that somebody looks. */
export type PageMessage =
  /** Asks for what the other node does, for some seconds. `again`: something was missed. */
  | { readonly kind: 'look'; readonly look: string; readonly again: boolean }
  | { readonly kind: 'stop'; readonly look: string }
  /** Asks for a call with its values. */
  | { readonly kind: 'call'; readonly uid: number; readonly call: number }
  /** All that is shown of the node. `missed` counts lines that were not sent. */
  | {
      readonly kind: 'picture';
      readonly look: string;
      /** Counts what is sent for a look. */
      readonly number: number;
      readonly excerpt: PictureExcerpt;
      readonly missed: number;
    }
  /** What happened since the message before. */
  | {
      readonly kind: 'lines';
      readonly look: string;
      readonly number: number;
      readonly lines: readonly RecordedLine[];
    }
  /** Answers `call`; without one where it is not known any more. */
  | { readonly kind: 'called'; readonly uid: number; readonly call?: CallPicture | undefined };

/** Sends a message to the page of a node; `false` if that node is gone. */
export type SendToPage = (to: string, message: PageMessage) => Promise<boolean>;
