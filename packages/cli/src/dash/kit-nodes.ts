import type { PageNodes } from '@longwire/server';
import type { CallPicture, RecordedLine } from '@longwire/recording';
import { cutLine } from './cut-line.js';
import type { LiveLog } from './live-log.js';
import { NodeTeller } from './node-teller.js';
import { OtherNodes } from './other-nodes.js';
import { PAGE_MESSAGES_VERSION, type PageMessage, type SendToPage } from './page-messages.js';
import { excerptOf } from './picture-excerpt.js';

/** How much another node is told at once, in characters of JSON. */
const MAX_PICTURE_CHARS = 512 * 1024;

/** What pages of a cluster are made with. */
export interface KitNodesOptions {
  readonly nodes: PageNodes;
  /** What this node is called on pages. */
  readonly server: string;
  /** What it does. */
  readonly lines: LiveLog;
}

/** The pages of a cluster: each shows what all nodes do. Only while somebody looks do they tell each other. */
export class KitNodes {
  readonly #options: KitNodesOptions;
  readonly #send: SendToPage;
  readonly #others: OtherNodes;
  /** Those that are told what happens here. */
  readonly #tellers = new Map<string, NodeTeller>();
  #isClosed = false;

  constructor(options: KitNodesOptions) {
    this.#options = options;
    const { nodes, lines } = options;
    this.#send = (to, message) => nodes.send(to, { v: PAGE_MESSAGES_VERSION, ...message });
    this.#others = new OtherNodes({ nodes, send: this.#send, log: lines.log });
    lines.log.feed.onRead = (isRead) => this.#others.setRead(isRead);
    nodes.listen({
      received: (body, from) => {
        const message = body as PageMessage & { readonly v?: unknown };
        if (message.v !== PAGE_MESSAGES_VERSION || this.#isClosed) return;
        this.#received(message, from);
      },
      gone: (node) => {
        this.#stop(node);
        this.#others.gone(node);
      },
    });
  }

  /** Something happened here; `text` is the line as JSON. */
  add(line: RecordedLine, text: string): void {
    if (this.#tellers.size === 0) return;
    const cut = cutLine(line, text);
    const { length } = cut === line ? text : JSON.stringify(cut);
    for (const teller of this.#tellers.values()) teller.add(cut, length);
  }

  /** A call of any node with its values as far as they are kept. */
  async call(call: number): Promise<CallPicture | undefined> {
    return this.#others.has(call) ? this.#others.call(call) : this.#options.lines.call(call);
  }

  /** Tells others the last, and nobody anything after it. */
  close(): void {
    this.#isClosed = true;
    this.#options.lines.log.feed.onRead = undefined;
    this.#others.close();
    for (const [node, teller] of this.#tellers) {
      void teller.flush();
      this.#stop(node);
    }
  }

  #received(message: PageMessage, from: string): void {
    switch (message.kind) {
      case 'look': {
        const { look, again } = message;
        const teller = this.#tellers.get(from);
        if (teller?.look === look) return teller.renew(again);
        this.#stop(from);
        this.#tellers.set(from, this.#tellerOf(from, look));
        return;
      }
      case 'stop':
        if (this.#tellers.get(from)?.look === message.look) this.#stop(from);
        return;
      case 'call': {
        const { uid } = message;
        const call = this.#options.lines.call(message.call);
        this.#send(from, { kind: 'called', uid, call }).catch(() => undefined);
        return;
      }
      default:
        this.#others.received(message, from);
    }
  }

  #tellerOf(node: string, look: string): NodeTeller {
    const { server, lines } = this.#options;
    return new NodeTeller({
      node,
      look,
      send: this.#send,
      excerpt: () => excerptOf(lines.log.picture, server, MAX_PICTURE_CHARS),
      over: () => {
        if (this.#tellers.get(node)?.look === look) this.#stop(node);
      },
    });
  }

  #stop(node: string): void {
    this.#tellers.get(node)?.stop();
    this.#tellers.delete(node);
  }
}
