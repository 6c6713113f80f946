/** How a script is run. */
export interface RunOptions {
  /** How long it waits for a Redis that is away, in milliseconds. Default: the option `waitMs`. */
  readonly waitMs?: number;
  /**
   * Whether it may run once more where the connection broke before its reply: it must do the same twice as
   * once. Default: false, and what broke may have run.
   */
  readonly again?: boolean;
  /**
   * Whether as many replicas as the option `replicas` says must have what it wrote before it counts. Only with
   * `again`. Default: false.
   */
  readonly isReplicated?: boolean;
  /**
   * Whether nobody waits for it: it goes out together with the next command that somebody waits for, or a
   * millisecond later, and is in its place in the order. Default: false.
   */
  readonly soon?: boolean;
}

/**
 * What a script is given; or what says that when it goes out: nothing where it is not needed any more, and then
 * it is not sent and has no reply.
 */
export type ScriptArgs = Values | (() => Values | undefined);
type Values = readonly (string | number)[];

/** A script that was asked for. */
export interface Command {
  readonly place: number;
  readonly script: string;
  readonly keys: readonly string[];
  readonly args: ScriptArgs;
  readonly again: boolean;
  readonly isReplicated: boolean;
  resolve(reply: unknown): void;
  reject(error: unknown): void;
  timer: NodeJS.Timeout | undefined;
  isSettled: boolean;
  /** Redis has done it; replicas may lack it. */
  isDone: boolean;
  /** Why Redis did not do it when it was asked last. */
  refusal: unknown;
}

/** Tells whoever waits for a command its reply, once. */
export function settle(command: Command, reply: unknown): void {
  if (command.isSettled) return;
  command.isSettled = true;
  clearTimeout(command.timer);
  command.resolve(reply);
}
