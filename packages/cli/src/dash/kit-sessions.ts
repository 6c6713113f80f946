import type { Call, CallOutcome, ObservedSession } from '@longwire/server';
import type { OpenSessions, Recorder } from '@longwire/recording';

/** How often the number of sessions is told while it changes, in milliseconds. */
const TELL_MS = 500;

/** What sessions are counted with. */
export interface KitSessionsOptions {
  readonly server: string;
  readonly recorder: Recorder;
}

/** Counts the open sessions of a mount, by transport and version. */
export class KitSessions {
  readonly #options: KitSessionsOptions;
  /** By id: transport and version. */
  readonly #open = new Map<string, Omit<OpenSessions, 'count'>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: KitSessionsOptions) {
    this.#options = options;
  }

  opened({ sessionId, transport }: ObservedSession): void {
    this.#open.set(sessionId, { transport });
    this.#changed();
  }

  ended({ sessionId }: ObservedSession): void {
    if (this.#open.delete(sessionId)) this.#changed();
  }

  /** A session and its client agree on a version when they shake hands. */
  learn(
    { method, sessionId = '' }: Call,
    { protocolVersion }: Extract<CallOutcome, { kind: 'result' }>['result'],
  ): void {
    const session = this.#open.get(sessionId);
    if (method !== 'initialize' || session === undefined) return;
    if (typeof protocolVersion !== 'string') return;
    this.#open.set(sessionId, { ...session, protocolVersion });
    this.#changed();
  }

  /** Says how many there are. */
  tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const counts = new Map<
      string,
      { -readonly [Name in keyof OpenSessions]: OpenSessions[Name] }
    >();
    for (const alike of this.#open.values()) {
      const key = `${alike.transport} ${alike.protocolVersion}`;
      const counted = counts.get(key) ?? { ...alike, count: 0 };
      counted.count++;
      counts.set(key, counted);
    }
    const { server, recorder } = this.#options;
    recorder.sessions({ server, open: [...counts.values()] });
  }

  #changed(): void {
    this.#timer ??= setTimeout(() => this.tell(), TELL_MS).unref();
  }
}
