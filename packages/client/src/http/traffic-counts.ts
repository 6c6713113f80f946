/**
 * Messages and bytes in both directions, counted by the channels. All channels of one client share it.
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

  /** Messages were sent, with so many bytes together. */
  sent(bytes: number, messages = 1): void {
    this.messagesSent += messages;
    this.bytesSent += bytes;
  }

  /** Bytes came, of a message or of a comment. */
  heard(bytes: number): void {
    this.bytesReceived += bytes;
    this.lastActivityAt = Date.now();
  }

  /** A valid message came. */
  received(): void {
    this.messagesReceived++;
  }
}
