/* oxlint-disable no-control-regex -- control characters are what this file is about */

import { toJson } from '@longwire/client';

/**
 * Terminal control sequences, 7-bit and 8-bit: strings with their content (OSC, DCS, SOS, PM, APC:
 * window titles, hyperlinks, clipboard writes), CSI, and the two-character escapes. An unterminated
 * string ends where the next one would begin, so that no text is scanned twice.
 * https://ecma-international.org/publications-and-standards/standards/ecma-48/
 */
const sequences =
  /(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u0090\u0098\u009c-\u009f]*(?:\u0007|\u001b\\|\u009c)|(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b[ -/]*[0-~]/g;

/** What is left of them, and every other control character but line feed and tab. */
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/**
 * Direction marks, embeddings, overrides and isolates change how a line reads (a spoofed question); tag
 * characters are invisible text.
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
  // Of a long text, only what may be shown is scanned, with room for what is removed.
  const looked = text.slice(0, maxLength * 10);
  const line = sanitize(looked).replace(/\s+/g, ' ').trim();
  const isWhole = line.length <= maxLength && looked.length === text.length;
  return isWhole ? line : `${line.slice(0, Math.max(0, maxLength - 1))}…`;
}

/**
 * JSON without control characters. `JSON.stringify` escapes C0 controls, but not DEL and C1, of which
 * U+009B starts a control sequence. The value stays the same.
 */
export function escapeControls(json: string): string {
  return json.replace(/[\u007f-\u009f]/g, escapeUnits).replace(invisible, escapeUnits);
}

/** Invisible characters, and those that change how the rest is shown. */
const unseen =
  /[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Zl}\p{Zp}\u2800]|(?! )\p{Zs}|(?<=\p{M}{2})\p{M}+/gu;

/**
 * JSON on one line in which everything is visible: invisible characters, unusual blanks, direction
 * changes, piled-up marks and repeated spaces are escaped. The value stays the same.
 */
export function visibleJson(value: unknown): string {
  const json = toJson(value) ?? 'undefined';
  return json
    .replace(unseen, escapeUnits)
    .replace(/(?<= ) +/g, (spaces) => '\\u0020'.repeat(spaces.length));
}

/**
 * {@link sanitize}, also without what terminals do not agree on how wide it is: characters without a look
 * or a meaning, joiners, marks that pile up. Every blank is one column wide.
 */
export function sanitizeForScreen(text: string): string {
  return sanitize(text)
    .replace(/\p{Zs}/gu, ' ')
    .replace(unseen, (found) => (found === '\n' || found === '\t' ? found : ''));
}

function escapeUnits(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
