import { asSchema, type Schema } from '../arguments/schema.js';
import { formatOf, limitsOf } from '../describe/limits.js';
import { tag, textLines } from './doc-comment.js';

/** Keywords of which a type says nothing. */
const unsaid = [
  '$dynamicRef',
  '$recursiveRef',
  'contains',
  'dependencies',
  'dependentRequired',
  'dependentSchemas',
  'else',
  'if',
  'not',
  'propertyNames',
  'then',
];

const types = ['string', 'number', 'integer', 'boolean', 'null', 'array', 'object'];

/** What is told of a value in words: what it is for, its limits, and what its type does not say. */
export function remarksOf(schema: unknown, { before }: { before?: string } = {}): string[] {
  const own = asSchema(schema);
  const { title, description, deprecated, ...limits } = own;
  const about = textLines(description).length > 0 ? textLines(description) : textLines(title);
  const words = [
    formatOf(own).replace(/^ \((.*)\)$/, 'format $1'),
    ...limitsOf(Object.fromEntries(Object.entries(limits).filter(([name]) => !isUnsaid(name)))),
  ].filter((word) => word !== '');
  const left = leftOut(own);
  const lines = [
    ...about,
    ...sentence(words.join(', ')),
    ...(left.length > 0 ? sentence(`Not in the type: ${left.join(', ')}`) : []),
    ...(deprecated === true ? [tag('deprecated')] : []),
  ];
  return before === undefined ? lines : [...textLines(before), ...lines];
}

function sentence(words: string): string[] {
  return textLines(words && `${words.charAt(0).toUpperCase()}${words.slice(1)}.`);
}

function leftOut(schema: Schema): string[] {
  const { type, $ref } = schema;
  const names = Array.isArray(type) ? (type as unknown[]) : type === undefined ? [] : [type];
  const strange = names.filter((name) => !types.includes(name as string));
  return [
    ...Object.keys(schema).filter(isUnsaid),
    ...strange.slice(0, 3).map((name) => `type ${JSON.stringify(name)?.slice(0, 40)}`),
    ...(typeof $ref === 'string' && isElsewhere($ref) ? [`$ref to ${$ref.slice(0, 100)}`] : []),
  ];
}

/** Whether a reference leads to another document, which is not fetched. */
function isElsewhere(reference: string): boolean {
  return /^[a-z][a-z0-9+.-]*:|^\//i.test(reference);
}

function isUnsaid(keyword: string): boolean {
  return unsaid.includes(keyword);
}
