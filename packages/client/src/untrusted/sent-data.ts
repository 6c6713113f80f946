/** Binary data that a server sent as text. */
export interface SentData {
  /** In the standard alphabet, without line breaks. */
  base64: string;
  /** What a `data:` URL says of its type. */
  mimeType: string | undefined;
}

/**
 * Reads what a server sent as Base64. Servers send `data:` URLs
 * (https://www.rfc-editor.org/rfc/rfc2397), line breaks and the alphabet of URLs, too.
 */
export function readSentData(sent: string): SentData {
  const [head, mimeType = '', encoding] =
    /^\s*data:([^,]{0,1000}?)(;\s*base64)?\s*,/i.exec(sent) ?? [];
  if (head === undefined) return { base64: plainBase64(sent), mimeType: undefined };
  const body = sent.slice(head.length);
  const base64 =
    encoding === undefined
      ? Buffer.from(percentDecoded(body)).toString('base64')
      : plainBase64(body);
  return { base64, mimeType: mimeType.trim() || undefined };
}

function plainBase64(sent: string): string {
  return /^[A-Za-z0-9+/]*={0,2}$/.test(sent)
    ? sent
    : Buffer.from(sent, 'base64').toString('base64');
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
