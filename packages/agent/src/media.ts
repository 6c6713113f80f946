import { isUtf8 } from 'node:buffer';
import type Anthropic from '@anthropic-ai/sdk';

type ImageType = Anthropic.Base64ImageSource['media_type'];

/** The API's limit for one image, as base64: https://platform.claude.com/docs/en/build-with-claude/vision */
const maxImageBase64 = 5 * 1024 * 1024;

/** The API takes requests of 32 MB: https://platform.claude.com/docs/en/build-with-claude/pdf-support */
const maxDocumentBase64 = 20 * 1024 * 1024;

/** The media types of images that the API takes, by how such a file begins (as hex). */
const imageSignatures: readonly (readonly [ImageType, RegExp])[] = [
  ['image/png', /^89504e470d0a1a0a/],
  ['image/jpeg', /^ffd8ff/],
  ['image/gif', /^47494638(37|39)61/],
  ['image/webp', /^52494646.{8}57454250/],
];

/** Readers of PDF files take up to 1024 bytes before the header. */
const pdfHeaderWithin = 1024;

/** Control characters that no text has. */
const control = /[^\P{Cc}\s]/u;

/** What Claude can read of a server's bytes; `other` is what it cannot read. */
export type Media =
  | { kind: 'text'; text: string }
  | { kind: 'image'; block: Anthropic.ImageBlockParam }
  | { kind: 'document'; block: Anthropic.DocumentBlockParam }
  | { kind: 'other'; problem: string };

/**
 * Classifies data by its bytes. The server's media type is used only for the encoding of a text: the
 * API answers 400 to an image that does not match its media type, and every later request of the
 * conversation would contain that image.
 */
export function mediaOf(base64: string, mimeType: string | undefined): Media {
  if (base64 === '') return { kind: 'other', problem: 'it is empty' };
  const start = Buffer.from(base64.slice(0, 2 * pdfHeaderWithin), 'base64');
  const hex = start.subarray(0, 18).toString('hex');
  const imageType = imageSignatures.find(([, signature]) => signature.test(hex))?.[0];
  if (imageType !== undefined) {
    if (base64.length > maxImageBase64) return tooLarge(maxImageBase64);
    const source = { type: 'base64' as const, media_type: imageType, data: base64 };
    return { kind: 'image', block: { type: 'image', source } };
  }
  const header = start.subarray(0, pdfHeaderWithin).indexOf('%PDF-');
  if (header === 0 || (header > 0 && isCalled('application/pdf', mimeType))) {
    if (base64.length > maxDocumentBase64) return tooLarge(maxDocumentBase64);
    const source = {
      type: 'base64' as const,
      media_type: 'application/pdf' as const,
      data: base64,
    };
    return { kind: 'document', block: { type: 'document', source } };
  }
  const text = textOf(Buffer.from(base64, 'base64'), mimeType);
  if (text !== undefined) return { kind: 'text', text };
  const problem = isCalled('image/', mimeType)
    ? 'it is not a PNG, JPEG, GIF or WebP image'
    : 'it is neither text, nor an image, nor a PDF';
  return { kind: 'other', problem };
}

function isCalled(type: string, mimeType: string | undefined): boolean {
  return mimeType?.trim().toLowerCase().startsWith(type) === true;
}

function tooLarge(limit: number): Media {
  return {
    kind: 'other',
    problem: `it is larger than the ${limit / 1024 / 1024} MiB that can be shown`,
  };
}

/** The text, if the bytes are one: UTF-8, what a byte order mark says, or what the type says. */
function textOf(bytes: Buffer, mimeType: string | undefined): string | undefined {
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(mimeType ?? '')?.[1];
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe
      ? 'utf-16le'
      : first === 0xfe && second === 0xff
        ? 'utf-16be'
        : isUtf8(bytes)
          ? 'utf-8'
          : charset;
  if (encoding === undefined) return undefined;
  try {
    const text = new TextDecoder(encoding).decode(bytes);
    // Logs have escape sequences.
    return control.test(text.replaceAll('\u001b', '')) ? undefined : text;
  } catch {
    return undefined;
  }
}
