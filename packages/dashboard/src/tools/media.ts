/** Types of images that a browser draws without running anything. */
const IMAGE_TYPES = new Set([
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'image/avif',
  'image/bmp',
]);

const AUDIO_TYPE = /^audio\/[a-z0-9.+-]{1,40}$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** The largest picture or sound that the page shows, in bytes. */
export const MAX_MEDIA_BYTES = 2 * 1024 * 1024;

/** A `data:` URL of a picture or a sound; else why it is not shown, in one sentence. */
export function mediaUrl(
  kind: 'image' | 'audio',
  { data, mimeType }: { readonly data: unknown; readonly mimeType: unknown },
): { readonly url: string } | { readonly problem: string } {
  const type = String(mimeType).toLowerCase();
  const isKnown = kind === 'image' ? IMAGE_TYPES.has(type) : AUDIO_TYPE.test(type);
  if (!isKnown) return { problem: `The page does not show the type ${type.slice(0, 80)}.` };
  if (typeof data !== 'string') return { problem: 'It has no data.' };
  if (data.length * 0.75 > MAX_MEDIA_BYTES) return { problem: 'It is larger than 2 MiB.' };
  if (!BASE64.test(data)) return { problem: 'Its data is not base64.' };
  return { url: `data:${type};base64,${data}` };
}
