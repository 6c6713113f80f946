import type { AuthorizationLine, CallPicture } from '@longwire/recording';
import {
  callName,
  counted,
  formatClock,
  formatDuration,
  outcomeOf,
  type Word,
} from '@longwire/recording/shown';
import { visibleLine } from '../format/visible.js';
import { rangeOfItem, type Item } from './items.js';
import { firstOf, isOpen, kindOf, lastOf, type CallSpan } from './spans.js';

/** What became of an authorization, and how that looks. */
export const AUTHORIZATIONS: Readonly<
  Record<AuthorizationLine['decision'], Pick<Word, 'sign' | 'tone'> & { readonly text: string }>
> = {
  retry: { sign: '✓', tone: 'good', text: 'authorized' },
  fail: { sign: '⊗', tone: 'bad', text: 'not authorized' },
};

/** What an item is, in one line for those who do not see it. */
export function textOfItem(item: Item, now: number): string {
  const { from } = rangeOfItem(item, now);
  const parts = [titleOfItem(item), item.server, ...factsOfItem(item, now), formatClock(from)];
  return visibleLine(parts.join(', '), 400);
}

/** What an item is called. */
export function titleOfItem(item: Item): string {
  switch (item.kind) {
    case 'span':
      return callName(firstOf(item.span));
    case 'state':
      return item.state.state;
    case 'authorization':
      return AUTHORIZATIONS[item.authorization.decision].text;
    case 'bin':
      return counted(item.bin.calls, 'call');
  }
}

/** What happened to an item, in a few words each. */
export function factsOfItem(item: Item, now: number): string[] {
  const { from, to } = rangeOfItem(item, now);
  const lasted = formatDuration(to - from);
  switch (item.kind) {
    case 'span':
      return [...outcomeWords(item.span), lasted, ...historyOf(item.span)];
    case 'state': {
      const { reason, to: end } = item.state;
      return [
        end === undefined ? `for ${lasted} until now` : `for ${lasted}`,
        ...(reason === undefined ? [] : [`${reason.code}: ${reason.message}`]),
      ];
    }
    case 'authorization': {
      const { status, error } = item.authorization;
      return [
        `after ${status}`,
        lasted,
        ...(error === undefined ? [] : [`${error.code}: ${error.message}`]),
      ];
    }
    case 'bin':
      return [counted(item.bin.errors, 'error'), `in ${lasted}`];
  }
}

function outcomeWords(span: CallSpan): string[] {
  if (isOpen(span)) return ['in flight'];
  const last = lastOf(span);
  const { code, certainty } = (last.end?.outcome === 'error' && last.end.error) || {};
  return [code ?? outcomeOf(last), ...(certainty === undefined ? [] : [certainty])];
}

function historyOf(span: CallSpan): string[] {
  const { calls } = span;
  const kind = kindOf(span);
  const again = Math.max(...calls.map(({ attempts }) => attempts.length));
  const { by } = firstOf(span);
  return [
    ...(kind === 'rounds' ? [counted(calls.length, 'round')] : []),
    ...(kind === 'task' ? [`a task, asked for ${counted(calls.length - 1, 'time')}`] : []),
    ...(again > 1 ? [`sent ${counted(again, 'time')}`] : []),
    ...(again === 0 ? ['not sent'] : []),
    ...(by === undefined ? [] : [byWords(by)]),
  ];
}

function byWords(by: NonNullable<CallPicture['by']>): string {
  return 'call' in by ? `because of call ${by.call}` : `by ${by.who}`;
}
