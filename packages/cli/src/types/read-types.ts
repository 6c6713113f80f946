/** What a file of types says, whatever its layout. */
export interface ReadType {
  /** Its text, but for comments, line breaks, and the order of members. */
  readonly text: string;
  /** The comments in it. */
  readonly comment: string;
  /** What it has, if it is an object or an interface. */
  readonly members?: ReadonlyMap<string, ReadMember>;
}

/** A member of an object. */
export interface ReadMember extends ReadType {
  readonly isOptional: boolean;
}

/** What a file of types has, by name. */
export interface ReadTypes {
  /** The comment that it begins with. */
  readonly head: string;
  /** The servers, and `Tools`. */
  readonly interfaces: ReadonlyMap<string, ReadType>;
  readonly definitions: ReadonlyMap<string, ReadType>;
}

/**
 * Reads a file as `writeTypes` writes it, or as a formatter made it of that: other quotes, line breaks,
 * separators.
 *
 * @throws Error where it is not of that kind.
 */
export function readTypes(text: string): ReadTypes {
  const tokens = new Tokens(text);
  const interfaces = new Map<string, ReadType>();
  const definitions = new Map<string, ReadType>();
  const head = tokens.comment();
  for (let comment = ''; !tokens.isAtEnd; comment = tokens.comment()) {
    tokens.take('export');
    const kind = tokens.next();
    const name = tokens.next();
    if (kind === 'type') {
      tokens.take('=');
      const type = readType(tokens);
      definitions.set(name, { ...type, comment: joined([comment, type.comment]) });
      tokens.skip(';');
    } else if (kind === 'interface') {
      const base = tokens.skip('extends') ? tokens.next() : '';
      const body = readObject(tokens);
      interfaces.set(name, { ...body, text: `${base} ${body.text}` });
    } else throw new Error(`${kind} is none of ours`);
  }
  return { head, interfaces, definitions };
}

/** A type, up to what ends it. */
function readType(tokens: Tokens): ReadType {
  const words: string[] = [];
  const comments: string[] = [];
  let alone: ReadType | undefined;
  for (let depth = 0; ;) {
    // Without a semicolon, it ends where a line does after which nothing is missing.
    const isWhole = words.length > 0 && !/^[|&]$/.test(words.at(-1) ?? '');
    if (depth === 0 && isWhole && tokens.beginsLine && !/^[|&]$/.test(tokens.peek() ?? '')) break;
    comments.push(tokens.comment());
    const word = tokens.peek();
    if (word === undefined || (depth === 0 && /^[;,})\]]$/.test(word))) break;
    if (word === '{') {
      const object = readObject(tokens);
      alone = words.length === 0 ? object : undefined;
      words.push(object.text);
      comments.push(object.comment);
      continue;
    }
    alone = undefined;
    if (word === '[' || word === '(') depth += 1;
    if (word === ']' || word === ')') depth -= 1;
    const isLeading = word === '|' && /^$|^[([<,=]$/.test(words.at(-1) ?? '');
    tokens.next();
    if (!isLeading) words.push(word);
  }
  const text = words.join(' ');
  return {
    text,
    comment: joined(comments),
    ...(alone?.members !== undefined && { members: alone.members }),
  };
}

/** `{ a: string; b?: number }` */
function readObject(tokens: Tokens): ReadType {
  tokens.take('{');
  const members = new Map<string, ReadMember>();
  for (let comment = tokens.comment(); !tokens.skip('}'); comment = tokens.comment()) {
    const name = readName(tokens);
    const isOptional = tokens.skip('?');
    tokens.take(':');
    const type = readType(tokens);
    members.set(name, { ...type, isOptional, comment: joined([comment, type.comment]) });
    if (!tokens.skip(';')) tokens.skip(',');
  }
  const inOrder = [...members].sort(([a], [b]) => (a < b ? -1 : 1));
  const texts = inOrder.map(
    ([name, { text, isOptional }]) => `${name}${isOptional ? '?' : ''}: ${text}`,
  );
  return {
    text: `{ ${texts.join('; ')} }`,
    comment: joined(inOrder.map(([, { comment }]) => comment)),
    members,
  };
}

/** What a member is called, as JSON; `[…]` for all others. */
function readName(tokens: Tokens): string {
  const word = tokens.next();
  if (word !== '[') return word.startsWith('"') ? word : JSON.stringify(word);
  while (!tokens.skip(']')) tokens.next();
  return '[…]';
}

function joined(texts: readonly string[]): string {
  return texts.filter((text) => text !== '').join('\n');
}

/** White space; a comment; a text; a name or a number; a character of its own. */
const pattern =
  /\s+|\/\*[^]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|-?[\w$.+]+|[^]/gy;

class Tokens {
  readonly #words: string[] = [];
  /** The words that begin a line. */
  readonly #first = new Set<number>();
  #at = 0;

  constructor(text: string) {
    for (const [word] of text.matchAll(pattern)) {
      if (word.trim() !== '') this.#words.push(word);
      else if (word.includes('\n')) this.#first.add(this.#words.length);
    }
  }

  /** Whether the next word is the first of its line. */
  get beginsLine(): boolean {
    return this.#first.has(this.#at);
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#words.length;
  }

  /** The comments that come now, without their marks. */
  comment(): string {
    const lines: string[] = [];
    for (let word = this.#words[this.#at]; isComment(word); word = this.#words[this.#at]) {
      const inner = word.startsWith('//') ? word.slice(2) : word.slice(2, -2);
      lines.push(...inner.split('\n').map((line) => line.replace(/^\s*\*+ ?/, '').trim()));
      this.#at += 1;
    }
    return joined(lines);
  }

  /** The next word, which stays; texts are written as JSON. */
  peek(): string | undefined {
    const word = this.#words[this.#at];
    return word !== undefined && /^["']/.test(word) ? asJson(word) : word;
  }

  next(): string {
    const word = this.peek();
    if (word === undefined) throw new Error('it ends too early');
    this.#at += 1;
    return word;
  }

  take(wanted: string): void {
    const word = this.next();
    if (word !== wanted) throw new Error(`there is ${word.slice(0, 40)} for ${wanted}`);
  }

  skip(wanted: string): boolean {
    const isThere = this.peek() === wanted;
    if (isThere) this.#at += 1;
    return isThere;
  }
}

function isComment(word: string | undefined): word is string {
  return word?.startsWith('/*') === true || word?.startsWith('//') === true;
}

/** A text in either quotes as JSON, as it means. */
function asJson(word: string): string {
  const inner = word.slice(1, -1).replace(/\\.|"/gs, (found) => {
    if (found === '"') return '\\"';
    return found === "\\'" ? "'" : found;
  });
  try {
    return JSON.stringify(JSON.parse(`"${inner}"`));
  } catch {
    throw new Error(`${word.slice(0, 40)} is no text of ours`);
  }
}
