import { randomUUID } from 'node:crypto';
import type { PageNodes } from '@longwire/server';
import { isCut, Picture, type CallPicture, type RecordedLine } from '@longwire/recording';
import type { LineLog } from './line-log.js';
import type { PageMessage, SendToPage } from './page-messages.js';
import {
  countedFrom,
  withoutServers,
  withExcerpts,
  type PictureExcerpt,
} from './picture-excerpt.js';

/** How often the other nodes are asked, while somebody looks, in milliseconds. */
const ASK_MS = 2_000;
/** How long after the last reader left they are told to stop, in milliseconds: a page that is loaded anew comes back. */
const LINGER_MS = 5_000;
/** How long pictures of nodes wait for those of others, in milliseconds: each is a new snapshot for all readers. */
const GATHER_MS = 100;
/** How long a node that is gone is shown, in milliseconds. */
const GONE_MS = 60_000;
/** How long a call with its values is waited for, in milliseconds. */
const CALL_MS = 2_000;
/** No node counts as many calls: each has its own range of numbers. */
const CALLS_A_NODE = 100_000_000_000;

/** What the nodes are shown with. */
export interface OtherNodesOptions {
  readonly nodes: Pick<PageNodes, 'others'>;
  readonly send: SendToPage;
  /** Where all is shown. */
  readonly log: LineLog;
}

/** A node whose page answers. */
interface SeenNode {
  /** What its calls are counted from. */
  readonly first: number;
  /** What it is called on the page. */
  server: string;
  /** The number of its next message. */
  next: number;
  goneAt: number | undefined;
  /** What is not shown yet: a picture, and what came after it. */
  arrived: { readonly excerpt: PictureExcerpt; readonly lines: RecordedLine[] } | undefined;
}

/** Shows on the page of this node what other nodes do, as long as somebody looks. */
export class OtherNodes {
  readonly #options: OtherNodesOptions;
  readonly #seen = new Map<string, SeenNode>();
  /** What is to be forgotten when nobody looks: those of nodes that are gone, too. */
  readonly #servers = new Set<string>();
  readonly #asked = new Map<number, (call: CallPicture | undefined) => void>();
  #look: string | undefined;
  #asking: NodeJS.Timeout | undefined;
  #lingering: NodeJS.Timeout | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #isAway = false;
  #lastUid = 0;
  #lastRange = 0;

  constructor(options: OtherNodesOptions) {
    this.#options = options;
  }

  /** Whether a call is one of another node. */
  has(call: number): boolean {
    return call >= CALLS_A_NODE;
  }

  /** Somebody looks, or nobody any more. */
  setRead(isRead: boolean): void {
    clearTimeout(this.#lingering);
    if (!isRead) {
      this.#lingering = setTimeout(() => this.#leave(), LINGER_MS).unref();
      return;
    }
    if (this.#look !== undefined) return;
    this.#look = randomUUID();
    this.#asking = setInterval(() => void this.#ask(), ASK_MS).unref();
    void this.#ask();
  }

  received(message: PageMessage, from: string): void {
    switch (message.kind) {
      case 'picture': {
        if (message.look !== this.#look) return;
        const node = this.#seenOf(from);
        const { excerpt, missed } = message;
        node.server = String(excerpt.server['name']);
        this.#servers.add(node.server);
        node.next = message.number + 1;
        node.goneAt = undefined;
        node.arrived = { excerpt, lines: [] };
        if (missed > 0) node.arrived.lines.push({ type: 'gap', at: Date.now(), count: missed });
        this.#gathering ??= setTimeout(() => this.#show(), GATHER_MS).unref();
        return;
      }
      case 'lines': {
        if (message.look !== this.#look) return;
        const node = this.#seen.get(from);
        if (node?.goneAt !== undefined || node?.next !== message.number) {
          this.#lookAt(from, true);
          return;
        }
        node.next++;
        for (const line of message.lines) {
          if (node.arrived !== undefined) node.arrived.lines.push(line);
          else this.#add(countedFrom(node.first, line));
        }
        return;
      }
      case 'called':
        this.#asked.get(message.uid)?.(message.call);
        return;
      default:
        return;
    }
  }

  /** A node is gone: so are its sessions, and nobody here knows what became of its calls. */
  gone(name: string): void {
    const node = this.#seen.get(name);
    if (node === undefined || node.goneAt !== undefined) return;
    if (node.arrived !== undefined) this.#show();
    const at = Date.now();
    const { server } = node;
    node.goneAt = performance.now();
    const { picture } = this.#options.log;
    const reason = { code: 'node-gone', message: 'The node has left the cluster, or died' };
    for (const call of picture.inFlight) {
      if (call.server !== server) continue;
      const durationMs = Math.max(0, at - call.at);
      const error = { ...reason, certainty: 'outcome-unknown' } as const;
      this.#add({ type: 'end', at, server, call: call.call, outcome: 'error', durationMs, error });
    }
    this.#add({ type: 'sessions', at, server, open: [] });
    // One that left in order has said so itself.
    if (picture.servers.get(server)?.states.at(-1)?.state === 'closed') return;
    this.#add({ type: 'state', at, server, state: 'closed', reason });
  }

  /** A call of another node, with its values as far as they are kept there. */
  async call(call: number): Promise<CallPicture | undefined> {
    const found = this.#options.log.picture.find(call);
    if (found === undefined || !(isCut(found.arguments) || isCut(found.end?.result))) return found;
    for (const [name, { first, goneAt }] of this.#seen) {
      if (goneAt !== undefined || call < first || call >= first + CALLS_A_NODE) continue;
      const whole = await this.#askCall(name, call - first);
      return whole === undefined ? found : countedFrom(first, whole);
    }
    return found;
  }

  /** Asks others for nothing any more. */
  close(): void {
    clearTimeout(this.#lingering);
    clearTimeout(this.#gathering);
    clearInterval(this.#asking);
    this.#gathering = undefined;
    const look = this.#look;
    this.#look = undefined;
    if (look === undefined) return;
    for (const [name, { goneAt }] of this.#seen) {
      if (goneAt === undefined) this.#send(name, { kind: 'stop', look });
    }
  }

  /** Forgets what others did: nobody looks, and it would not be so any more when somebody does. */
  #leave(): void {
    this.close();
    const { log } = this.#options;
    log.restore(Picture.owning(withoutServers(log.picture.toJSON(), this.#servers)));
    this.#seen.clear();
    this.#servers.clear();
    log.feed.reset();
  }

  async #ask(): Promise<void> {
    const look = this.#look;
    const others = await this.#options.nodes.others().catch(() => undefined);
    if (look !== this.#look) return;
    if (others === undefined) return this.#setAway();
    const wasAway = this.#isAway;
    this.#isAway = false;
    for (const name of others) {
      this.#lookAt(name, wasAway || this.#seen.get(name)?.goneAt !== undefined);
    }
    for (const [name, { goneAt = Infinity, server }] of this.#seen) {
      if (performance.now() - goneAt < GONE_MS) continue;
      this.#seen.delete(name);
      this.#add({ type: 'server', at: Date.now(), server, removed: true });
    }
  }

  /** Nobody hears what others do: the store of the cluster is away. */
  #setAway(): void {
    if (this.#isAway) return;
    this.#isAway = true;
    const message = 'The store of the cluster is away: what this node does is not known';
    const reason = { code: 'cluster-away', message };
    for (const { server, goneAt } of this.#seen.values()) {
      if (goneAt !== undefined) continue;
      this.#add({ type: 'state', at: Date.now(), server, state: 'reconnecting', reason });
    }
  }

  #lookAt(name: string, again: boolean): void {
    if (this.#look !== undefined) this.#send(name, { kind: 'look', look: this.#look, again });
  }

  #askCall(name: string, call: number): Promise<CallPicture | undefined> {
    const uid = ++this.#lastUid;
    return new Promise<CallPicture | undefined>((resolve) => {
      const timer = setTimeout(resolve, CALL_MS, undefined);
      this.#asked.set(uid, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.#send(name, { kind: 'call', uid, call });
    }).finally(() => this.#asked.delete(uid));
  }

  /** What is asked for is asked for again, or missed by nobody. */
  #send(name: string, message: PageMessage): void {
    this.#options.send(name, message).catch(() => undefined);
  }

  #seenOf(name: string): SeenNode {
    let node = this.#seen.get(name);
    if (node === undefined) {
      const first = ++this.#lastRange * CALLS_A_NODE;
      node = { first, server: '', next: 0, goneAt: undefined, arrived: undefined };
      this.#seen.set(name, node);
    }
    return node;
  }

  /** Shows the pictures that have come. */
  #show(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    const { log } = this.#options;
    const lines: RecordedLine[] = [];
    const excerpts: PictureExcerpt[] = [];
    for (const node of this.#seen.values()) {
      const { first, arrived } = node;
      if (arrived === undefined) continue;
      node.arrived = undefined;
      const { excerpt } = arrived;
      excerpts.push({ ...excerpt, calls: excerpt.calls.map((call) => countedFrom(first, call)) });
      lines.push(...arrived.lines.map((line) => countedFrom(first, line)));
    }
    log.restore(Picture.owning(withExcerpts(log.picture.toJSON(), excerpts)));
    log.feed.reset();
    for (const line of lines) this.#add(line);
  }

  #add(line: RecordedLine): void {
    this.#options.log.add(line, JSON.stringify(line));
  }
}
