import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { Agent, request } from 'undici';

/** What the service says of calls that were not made, and Fastify while it closes. */
const DID_NOT_RUN = /"certainty":"(not-sent|refused)"|"error":"Service Unavailable"/;

/** What came of everything that the users asked. */
export interface Outcome {
  /** Answered calls by server. */
  readonly answered: Map<string, number>;
  /** Calls that certainly did not run, and were asked again. */
  repeated: number;
  /** Calls that were not taken, after the service was told to stop. */
  turnedAway: number;
  /** Calls without an answer, and those whose outcome nobody knows. */
  readonly cut: string[];
  /** Log messages that came with an answer. */
  heard: number;
  /** Results, progress and log messages that carry another user, or another call. */
  readonly crossed: string[];
}

/** What the users are. */
export interface UsersOptions {
  /** Where the service is. */
  origin: string;
  /** By their names. */
  users: readonly string[];
  /** The servers that a user calls. */
  serversOf: (user: string) => readonly string[];
  /** How long a user thinks between two calls, in milliseconds; half as much again at most. */
  thinkMs: number;
}

/** An answer of the service to a call of a tool. */
interface Answer {
  steps: string[];
  heard: { user: string; question: string }[];
  answer: { user: string; question: string };
}

/** Users of the service who call it again and again, and compare every word of what comes. */
export class Users {
  readonly outcome: Outcome = {
    answered: new Map(),
    repeated: 0,
    turnedAway: 0,
    heard: 0,
    cut: [],
    crossed: [],
  };
  readonly #options: UsersOptions;
  readonly #agent = new Agent({ headersTimeout: 120_000 });
  /** By the process that answered: the user it is of. */
  readonly #processes = new Map<string, string>();
  /** By the question: who asked it. */
  readonly #asked = new Map<string, string>();
  readonly #wereAnswered = new Set<string>();
  readonly #isTurnedAway = new Set<string>();
  #isStopping = false;
  readonly #stopped = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: UsersOptions) {
    this.#options = options;
  }

  start(): void {
    // One for each user who thinks.
    setMaxListeners(0, this.#stopped.signal);
    this.#running = Promise.all(this.#options.users.map((user) => this.#use(user)));
  }

  /** Before the service is told to stop: what is under way by now must come to its end. */
  serviceStops(): void {
    this.#isStopping = true;
  }

  /** Every user has been answered at least once. */
  get areAllServed(): boolean {
    return this.#wereAnswered.size === this.#options.users.length;
  }

  /** How many calls of a server have been answered. */
  answeredBy(server: string): number {
    return this.outcome.answered.get(server) ?? 0;
  }

  /** No user begins anything any more; fulfilled when all calls have ended. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
    await this.#agent.close();
  }

  async #use(user: string): Promise<void> {
    const { serversOf, thinkMs } = this.#options;
    const servers = serversOf(user);
    // Not all at the same moment.
    await this.#pause(Math.random() * thinkMs);
    for (let turn = 0; !this.#stopped.signal.aborted && !this.#isTurnedAway.has(user); turn++) {
      const server = servers[turn % servers.length] ?? '';
      if (server === 'orders' && turn % 2 === 0) await this.#profile(user);
      else await this.#ask(user, server);
      await this.#pause(thinkMs * (0.5 + Math.random()));
    }
  }

  async #ask(user: string, server: string): Promise<void> {
    const question = randomUUID();
    this.#asked.set(question, user);
    const body = JSON.stringify({ question });
    const came = (await this.#send(user, `/ask/${server}`, body)) as Answer | undefined;
    if (came === undefined) return;
    this.#count(server);
    const { steps, heard, answer } = came;
    this.outcome.heard += heard.length;
    const owner = server === 'files' ? this.#ownerOf(answer.user, user) : answer.user;
    const isOwn =
      // A call that was sent again after a restart reports its first step twice.
      steps.every((step) => step === `${answer.user} ${question}`) &&
      // Log messages are of a session, and may be late: of an earlier question of the same user.
      heard.every((each) => each.user === answer.user && this.#asked.get(each.question) === user);
    if (owner !== user || answer.question !== question || !isOwn || steps.length < 1) {
      this.outcome.crossed.push(`${user} ${question}: ${JSON.stringify(came)}`);
    }
  }

  async #profile(user: string): Promise<void> {
    const came = (await this.#send(user, '/profile')) as { user: string } | undefined;
    if (came === undefined) return;
    this.#count('orders');
    if (came.user !== user) this.outcome.crossed.push(`${user}: ${JSON.stringify(came)}`);
  }

  /** The user whose process this is: the first who was answered by it. */
  #ownerOf(process: string, user: string): string {
    const owner = this.#processes.get(process) ?? user;
    this.#processes.set(process, owner);
    return owner;
  }

  /** Asks until there is an answer, or the service takes no more. */
  async #send(user: string, path: string, body?: string): Promise<unknown> {
    while (!this.#stopped.signal.aborted) {
      const isLate = this.#isStopping;
      const { status, text } = await this.#request(user, path, body);
      if (status === 200) {
        this.#wereAnswered.add(user);
        return JSON.parse(text);
      }
      const didNotRun = status === 503 && DID_NOT_RUN.test(text);
      // What begins after the end meets a port that is closed.
      const isRefused = isLate && status === undefined;
      if (isRefused || (didNotRun && this.#isStopping)) {
        this.outcome.turnedAway += 1;
        this.#isTurnedAway.add(user);
        return undefined;
      }
      if (!didNotRun) {
        this.outcome.cut.push(`${user} ${path}: ${status ?? ''} ${text}`);
        return undefined;
      }
      this.outcome.repeated += 1;
      await this.#pause(500);
    }
    return undefined;
  }

  /** One request; without a status, the text says why there was no answer. */
  async #request(
    user: string,
    path: string,
    body: string | undefined,
  ): Promise<{ status?: number; text: string }> {
    try {
      const answer = await request(`${this.#options.origin}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { 'x-user': user, ...(body && { 'content-type': 'application/json' }) },
        body: body ?? null,
        dispatcher: this.#agent,
      });
      return { status: answer.statusCode, text: await answer.body.text() };
    } catch (error) {
      return { text: String(error) };
    }
  }

  #count(server: string): void {
    this.outcome.answered.set(server, this.answeredBy(server) + 1);
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#stopped;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done);
    });
  }
}
