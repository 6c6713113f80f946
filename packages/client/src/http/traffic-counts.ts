import { Buffer } from 'node:buffer';
import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import type { WireObserver } from '../options/wire-event.js';
import { toJson } from '../untrusted/exact-json.js';

/** Of the whole process. */
let exchanges = 0;

/** The number of the next exchange. */
export function nextExchange(): number {
  return ++exchanges;
}

/**
 * Messages and bytes in both directions, counted by the channels, and told to whoever observes them. All
 * channels of one client share it.
 */
export class TrafficCounts {
  messagesSent = 0;
  messagesReceived = 0;
  /** In the bodies of HTTP requests or in a pipe; 0 for a server in this process. */
  bytesSent = 0;
  /** In the bodies of HTTP responses, streams included, or from a pipe. */
  bytesReceived = 0;
  /** When bytes last came, in milliseconds since 1970; 0: never. */
  lastActivityAt = 0;
  /** Never throws; `undefined` if nobody observes. */
  readonly observe: WireObserver | undefined;

  /** What is counted here is counted by `all` as well, and told to whoever observes that. */
  readonly #all: TrafficCounts | undefined;

  constructor(observe?: WireObserver, all?: TrafficCounts) {
    this.observe = all === undefined ? quietly(observe) : all.observe;
    this.#all = all;
  }

  /** Messages were sent, with so many bytes together. */
  sent(bytes: number, messages = 1): void {
    this.messagesSent += messages;
    this.bytesSent += bytes;
    this.#all?.sent(bytes, messages);
  }

  /** Bytes came, of a message or of a comment. */
  heard(bytes: number): void {
    this.bytesReceived += bytes;
    this.lastActivityAt = Date.now();
    this.#all?.heard(bytes);
  }

  /** A valid message came. `text` is what it was read from, unless that holds more. */
  received(message: JSONRPCMessage, text?: string): void {
    this.messagesReceived++;
    if (this.#all !== undefined) this.#all.messagesReceived++;
    this.observe?.({
      type: 'message',
      direction: 'received',
      message,
      bytes: Buffer.byteLength(text ?? toJson(message)),
    });
  }
}

/** An observer that breaks nothing, whatever it does. */
export function quietly(observe: WireObserver | undefined): WireObserver | undefined {
  if (observe === undefined) return undefined;
  return (event) => {
    try {
      observe(event);
    } catch {
      // An observer must not break what it observes.
    }
  };
}
