import type Anthropic from '@anthropic-ai/sdk';

type MediaType = Anthropic.Base64ImageSource['media_type'];

/** The API's limit for one image, as base64: https://platform.claude.com/docs/en/build-with-claude/vision */
const maxBase64Length = 5 * 1024 * 1024;

/** The media types that the API takes, by how such a file begins (as hex). */
const signatures: readonly (readonly [MediaType, RegExp])[] = [
  ['image/png', /^89504e470d0a1a0a/],
  ['image/jpeg', /^ffd8ff/],
  ['image/gif', /^47494638(37|39)61/],
  ['image/webp', /^52494646.{8}57454250/],
];

/**
 * An image block, or why there can be none. The type is read from the data: the API answers 400 to
 * an image that is not what its media type says, and that image would then be in every later
 * request of the conversation.
 */
export function imageBlock(data: string): Anthropic.ImageBlockParam | { problem: string } {
  const base64 = /^[A-Za-z0-9+/]*={0,2}$/.test(data)
    ? data
    : Buffer.from(data, 'base64').toString('base64');
  const start = Buffer.from(base64.slice(0, 24), 'base64').toString('hex');
  const mediaType = signatures.find(([, signature]) => signature.test(start))?.[0];
  if (mediaType === undefined) {
    return { problem: 'it is not a PNG, JPEG, GIF or WebP image' };
  }
  if (base64.length > maxBase64Length) {
    return {
      problem: `it is larger than the ${maxBase64Length / 1024 / 1024} MiB that can be shown`,
    };
  }
  return { type: 'image', source: { type: 'base64', media_type: mediaType, data: base64 } };
}
