import { sanitizeLine, visibleJson } from '../sanitize.js';
import type { Drift } from './drift.js';

/** Characters of a type in a line. */
const maxTypeLength = 100;

/** What is otherwise, as a line. */
export function driftLine(drift: Drift): string {
  const { interface: server, tool } = drift;
  const where = [server, tool === null ? undefined : visibleJson(tool)].filter(Boolean).join(' ');
  return sanitizeLine(`${where === '' ? '' : `${where}: `}${wordsOf(drift)}`, 600);
}

function wordsOf({ change, member, was = '', is = '' }: Drift): string {
  const of = { argument: 'argument', result: 'member of the result' };
  const [what = '', how = ''] = change.split('-');
  const part =
    member === undefined
      ? what === 'argument'
        ? 'arguments'
        : 'structured result'
      : `${of[what as keyof typeof of]} ${visibleJson(member)}`;
  switch (change) {
    case 'format':
      return 'the file has been changed, or another version of longwire wrote it';
    case 'server-added':
      return 'the file does not have this server';
    case 'server-removed':
      return 'the file has this server, and it is none of those that were asked';
    case 'tool-added':
      return 'a new tool';
    case 'tool-removed':
      return 'the tool is gone';
    case 'description-changed':
      return 'described otherwise';
    case 'schema-changed':
      return 'its schemas changed in what types do not say';
    case 'name-changed':
      return 'tools have other names, or definitions are others';
    default:
      if (how === 'removed') return `${part} is gone`;
      if (how === 'added') return `${part} is new${is === '' ? '' : `, ${shortened(is)}`}`;
      return `${part} was ${shortened(was)}, is ${shortened(is)}`;
  }
}

function shortened(type: string): string {
  return type.length <= maxTypeLength ? type : `${type.slice(0, maxTypeLength)}…`;
}
