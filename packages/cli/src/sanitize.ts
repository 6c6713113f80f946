/* oxlint-disable no-control-regex -- control characters are what this file is about */

import { toJson } from '@longwire/client';

/**
 * Terminal control sequences, 7-bit and 8-bit: strings with their content (OSC, DCS, SOS, PM, APC:
 * window titles, hyperlinks, clipboard writes), CSI, and the two-character escapes. A string that
 * is never ended stops at what would begin the next, so that no text is looked at twice.
 * https://ecma-international.org/publications-and-standards/standards/ecma-48/
 */
const sequences =
  /(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u0090\u0098\u009c-\u009f]*(?:\u0007|\u001b\\|\u009c)|(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b[ -/]*[0-~]/g;

/** What is left of them, and every other control character but line feed and tab. */
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/**
 * Marks, embeddings, overrides and isolates make a line read otherwise than it is (a spoofed
 * question); tag characters are text that nobody sees.
 */
const invisible = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/gu;

/** Text from a server, safe to show: terminal control sequences removed, line ends made `\n`. */
export function sanitize(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(sequences, '')
    .replace(controls, '')
    .replace(invisible, '');
}

/** {@link sanitize}, on one line and at most `maxLength` characters long. */
export function sanitizeLine(text: string, maxLength: number = Number.POSITIVE_INFINITY): string {
  // Of a megabyte, no more is looked at than may be shown, with room for what is removed from it.
  const looked = text.slice(0, maxLength * 10);
  const line = sanitize(looked).replace(/\s+/g, ' ').trim();
  const isWhole = line.length <= maxLength && looked.length === text.length;
  return isWhole ? line : `${line.slice(0, Math.max(0, maxLength - 1))}…`;
}

/**
 * JSON that shows what it holds and that a terminal does not act on. `JSON.stringify` escapes the
 * C0 controls and leaves DEL and C1 as they are, of which U+009B starts a control sequence;
 * escaped, the value stays the same.
 */
export function escapeControls(json: string): string {
  return json.replace(/[\u007f-\u009f]/g, escapeUnits).replace(invisible, escapeUnits);
}

/** What nobody sees, or what makes what is seen another text. */
const unseen =
  /[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Zl}\p{Zp}\u2800]|(?! )\p{Zs}|(?<=\p{M}{2})\p{M}+/gu;

/**
 * JSON on one line in which all can be seen: what is invisible, blank in an unusual way, changes the
 * direction of writing, or piles up is escaped, and so is every space after a space. The value stays
 * the same.
 */
export function visibleJson(value: unknown): string {
  const json = toJson(value) ?? 'undefined';
  return json
    .replace(unseen, escapeUnits)
    .replace(/(?<= ) +/g, (spaces) => '\\u0020'.repeat(spaces.length));
}

function escapeUnits(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
