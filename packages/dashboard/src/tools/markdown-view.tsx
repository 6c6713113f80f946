import type { ComponentChildren } from 'preact';
import { parseMarkdown, type Block, type Inline } from './markdown.js';

/** Blocks of one text that are laid out. */
const MAX_BLOCKS = 500;

/** A text laid out as plain Markdown; whatever looks like HTML is text. */
export function Markdown({ text }: { text: string }) {
  const blocks = parseMarkdown(text);
  return (
    <div class="markdown">
      {blocks.slice(0, MAX_BLOCKS).map((block, index) => (
        <BlockView key={index} block={block} />
      ))}
      {blocks.length > MAX_BLOCKS && <p class="remark">The rest is in the plain text.</p>}
    </div>
  );
}

function BlockView({ block }: { block: Block }) {
  switch (block.type) {
    case 'heading':
      // The page has headings of its own; those of a server are not among them.
      return (
        <p class={`markdown-heading level-${Math.min(block.level, 3)}`}>{inlines(block.inside)}</p>
      );
    case 'code':
      return <pre>{block.text}</pre>;
    case 'quote':
      return <blockquote>{inlines(block.inside)}</blockquote>;
    case 'rule':
      return <hr />;
    case 'list': {
      const items = block.items.map((item, index) => <li key={index}>{inlines(item)}</li>);
      return block.isOrdered ? <ol>{items}</ol> : <ul>{items}</ul>;
    }
    case 'paragraph':
      return <p>{inlines(block.inside)}</p>;
  }
}

function inlines(spans: readonly Inline[]): ComponentChildren {
  return spans.map((span, index) => <InlineView key={index} span={span} />);
}

function InlineView({ span }: { span: Inline }) {
  switch (span.type) {
    case 'text':
      return <>{span.text}</>;
    case 'code':
      return <code>{span.text}</code>;
    case 'strong':
      return <strong>{inlines(span.inside)}</strong>;
    case 'emphasis':
      return <em>{inlines(span.inside)}</em>;
    case 'link':
      return (
        <a href={span.href} target="_blank" rel="noreferrer noopener" title={span.href}>
          {inlines(span.inside)}
        </a>
      );
  }
}
