import type { AsyncResource } from 'node:async_hooks';

/** How a message is sent, and for which call. */
export interface SendOptions {
  /** HTTP headers of this message. They win over the program's; the transport's win over them. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The message belongs to no call of the program. Default: it belongs to one. */
  readonly internal?: boolean | undefined;
  /** The async context in which the program's own functions run for it. Default: any. */
  readonly scope?: AsyncResource | undefined;
  /** It only asks whether the server is alive: nobody waits for the previous probe any more. */
  readonly isProbe?: boolean | undefined;
}

/** Whether something is sent for no call of the program. */
export function isInternal(options: SendOptions | undefined): boolean {
  return options === undefined || options.internal === true;
}
