/**
 * What went over the wire each way, counted by the channels. It outlives each of them: those of one
 * client all count into the same.
 */
export class TrafficCounts {
  messagesSent = 0;
  messagesReceived = 0;
  /** Of the bodies of HTTP requests, or the lines of a pipe; 0 for a server in this process. */
  bytesSent = 0;
  /** Of the bodies of HTTP answers, streams included, or what came out of a pipe. */
  bytesReceived = 0;
  /** When anything last came, in milliseconds since 1970; 0: never. */
  heardAt = 0;

  /** Messages left, which were so many bytes together. */
  sent(bytes: number, messages = 1): void {
    this.messagesSent += messages;
    this.bytesSent += bytes;
  }

  /** Bytes came: of a message, or only as a sign of life. */
  heard(bytes: number): void {
    this.bytesReceived += bytes;
    this.heardAt = Date.now();
  }

  /** A message came that could be read. */
  received(): void {
    this.messagesReceived++;
  }
}
