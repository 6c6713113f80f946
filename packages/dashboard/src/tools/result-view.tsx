import { useSignal } from '@preact/signals';
import { isCut } from '@longwire/recording';
import { isObject, lineJson } from '@longwire/recording/shown';
import { visibleLine, visibleText } from '../format/visible.js';
import { JsonText, Line, LongText } from '../parts/plain-text.js';
import { Markdown } from './markdown-view.js';
import { safeLink } from './markdown.js';
import { mediaUrl } from './media.js';

type Part = Readonly<Record<string, unknown>>;

/** Parts of one result that are shown; more are in its JSON. */
const MAX_PARTS = 50;
/** Longer texts are shown as they are: to lay them out as Markdown takes too long. */
const MAX_MARKDOWN = 32 * 1024;

/** What came back: texts, pictures, sounds, links, data; and always its JSON. */
export function ResultView({ result }: { result: unknown }) {
  const isJson = useSignal(false);
  if (isCut(result) || !isObject(result)) return <JsonText value={result} label="Result" />;
  const parts = partsOf(result);
  const structured = result['structuredContent'];
  const hasView = parts.length > 0 || structured !== undefined;
  return (
    <div class="result">
      {hasView && (
        <button
          type="button"
          class="result-switch"
          aria-pressed={isJson.value}
          onClick={() => (isJson.value = !isJson.value)}
        >
          {isJson.value ? 'Show the result as it is meant' : 'Show the result as JSON'}
        </button>
      )}
      {isJson.value || !hasView ? (
        <JsonText value={result} label="Result as JSON" />
      ) : (
        <>
          {parts.slice(0, MAX_PARTS).map((part, index) => (
            <PartView key={index} part={part} />
          ))}
          {parts.length > MAX_PARTS && (
            <p class="remark">{parts.length - MAX_PARTS} more parts are in the JSON.</p>
          )}
          {structured !== undefined && (
            <>
              <h4>Structured</h4>
              <JsonText value={structured} label="Structured result" />
            </>
          )}
        </>
      )}
    </div>
  );
}

/** The parts of a tool's result, of a resource's contents, or of a prompt's messages. */
function partsOf(result: Part): readonly Part[] {
  const given = result['content'] ?? result['contents'] ?? result['messages'];
  if (!Array.isArray(given)) return [];
  return given.filter(isObject).map((part) => {
    if (isObject(part['content'])) return { ...part['content'], role: part['role'] };
    return 'type' in part ? part : { type: 'resource', resource: part };
  });
}

function PartView({ part }: { part: Part }) {
  const { role } = part;
  return (
    <div class="part">
      {typeof role === 'string' && <p class="remark">{visibleLine(role, 40)}</p>}
      <PartContent part={part} />
    </div>
  );
}

function PartContent({ part }: { part: Part }) {
  switch (part['type']) {
    case 'text':
      return <TextPart text={lineJson(part['text'])} />;
    case 'image':
      return <Media kind="image" data={part['data']} mimeType={part['mimeType']} />;
    case 'audio':
      return <Media kind="audio" data={part['data']} mimeType={part['mimeType']} />;
    case 'resource_link':
      return <ResourceLink part={part} />;
    case 'resource':
      return <Resource resource={isObject(part['resource']) ? part['resource'] : {}} />;
    default:
      return <JsonText value={part} label="Part of the result" />;
  }
}

function TextPart({ text }: { text: string }) {
  const isMarkdown = useSignal(false);
  const hasMarkdown = text.length <= MAX_MARKDOWN && /[*_`#[]|^\s*[-\d]/m.test(text);
  return (
    <>
      {isMarkdown.value ? (
        <Markdown text={visibleText(text)} />
      ) : (
        <LongText text={text} label="Text" />
      )}
      {hasMarkdown && (
        <button
          type="button"
          class="plain"
          aria-pressed={isMarkdown.value}
          onClick={() => (isMarkdown.value = !isMarkdown.value)}
        >
          {isMarkdown.value ? 'As plain text' : 'As Markdown'}
        </button>
      )}
    </>
  );
}

function Media({
  kind,
  data,
  mimeType,
}: {
  kind: 'image' | 'audio';
  data: unknown;
  mimeType: unknown;
}) {
  const media = mediaUrl(kind, { data, mimeType });
  if ('problem' in media) return <p class="remark">{visibleLine(media.problem)}</p>;
  return kind === 'image' ? (
    <img class="media" src={media.url} alt={`Result: a picture, ${String(mimeType)}`} />
  ) : (
    <audio class="media" controls src={media.url} aria-label={`Result: ${String(mimeType)}`} />
  );
}

function ResourceLink({ part }: { part: Part }) {
  const uri = lineJson(part['uri']);
  const href = safeLink(uri);
  const { title, name, description } = part;
  const label = [title, name, uri].find((one) => typeof one === 'string') ?? uri;
  return (
    <p>
      {href === undefined ? (
        <Line text={uri} />
      ) : (
        <a href={href} target="_blank" rel="noreferrer noopener">
          <Line text={String(label)} />
        </a>
      )}
      {typeof description === 'string' && (
        <span class="remark">
          {' '}
          <Line text={description} />
        </span>
      )}
    </p>
  );
}

function Resource({ resource }: { resource: Part }) {
  const { uri, text, blob, mimeType } = resource;
  const kind = String(mimeType).startsWith('audio/') ? 'audio' : 'image';
  return (
    <>
      <p class="remark">
        <Line text={[uri, mimeType].filter((one) => typeof one === 'string').join(' · ')} />
      </p>
      {typeof text === 'string' && <TextPart text={text} />}
      {blob !== undefined && <Media kind={kind} data={blob} mimeType={mimeType} />}
    </>
  );
}
