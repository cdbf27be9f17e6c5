// Markdown as React elements, never as HTML: raw HTML in it is shown as text, links go to http(s) only.

import { Lexer, type Token, type Tokens } from 'marked';
import { type ReactNode, useMemo } from 'react';
import styles from './markdown.module.css';

/** Longer texts are cut: a panel is no book. */
const maxText = 100_000;

export default function Markdown({ text }: { text: string }) {
  const tokens = useMemo(() => new Lexer({ gfm: true }).lex(text.slice(0, maxText)), [text]);
  return <div className={styles.text}>{blocks(tokens)}</div>;
}

function safe(href: string): string | undefined {
  return /^(?:https?:\/\/|\/(?!\/)|#)/i.test(href) ? href : undefined;
}

/** Texts of marked carry entities for &, <, > and quotes. */
function plain(text: string): string {
  return text
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&');
}

function blocks(list: Token[]): ReactNode[] {
  return list.map((t, i) => <Block key={i} t={t} />);
}

function Block({ t }: { t: Token }): ReactNode {
  switch (t.type) {
    case 'heading': {
      const H = `h${Math.min(6, (t as Tokens.Heading).depth + 2)}` as 'h3';
      return <H data-depth={(t as Tokens.Heading).depth}>{inline((t as Tokens.Heading).tokens)}</H>;
    }
    case 'paragraph':
      return <p>{inline((t as Tokens.Paragraph).tokens)}</p>;
    case 'code':
      return (
        <pre>
          <code>{(t as Tokens.Code).text}</code>
        </pre>
      );
    case 'blockquote':
      return <blockquote>{blocks((t as Tokens.Blockquote).tokens)}</blockquote>;
    case 'hr':
      return <hr />;
    case 'list': {
      const l = t as Tokens.List;
      const items = l.items.map((item, i) => <li key={i}>{blocks(item.tokens)}</li>);
      return l.ordered ? <ol start={l.start || 1}>{items}</ol> : <ul>{items}</ul>;
    }
    case 'table':
      return <Table t={t as Tokens.Table} />;
    case 'space':
      return null;
    case 'text': {
      const x = t as Tokens.Text;
      return <>{x.tokens ? inline(x.tokens) : plain(x.text)}</>;
    }
    default:
      return <p>{t.raw}</p>;
  }
}

function Table({ t }: { t: Tokens.Table }) {
  return (
    <table>
      <thead>
        <tr>
          {t.header.map((c, i) => (
            <th key={i}>{inline(c.tokens)}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {t.rows.map((r, i) => (
          <tr key={i}>
            {r.map((c, j) => (
              <td key={j}>{inline(c.tokens)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function inline(list: Token[]): ReactNode[] {
  return list.map((t, i) => <Inline key={i} t={t} />);
}

function Inline({ t }: { t: Token }): ReactNode {
  switch (t.type) {
    case 'strong':
      return <strong>{inline((t as Tokens.Strong).tokens)}</strong>;
    case 'em':
      return <em>{inline((t as Tokens.Em).tokens)}</em>;
    case 'del':
      return <del>{inline((t as Tokens.Del).tokens)}</del>;
    case 'codespan':
      return <code>{plain((t as Tokens.Codespan).text)}</code>;
    case 'br':
      return <br />;
    case 'link': {
      const l = t as Tokens.Link;
      const href = safe(l.href);
      if (!href) return <>{inline(l.tokens)}</>;
      return (
        <a href={href} rel="noopener noreferrer" target={href.startsWith('http') ? '_blank' : undefined}>
          {inline(l.tokens)}
        </a>
      );
    }
    case 'image':
      return <em>{(t as Tokens.Image).text}</em>;
    case 'text': {
      const x = t as Tokens.Text;
      return <>{x.tokens ? inline(x.tokens) : plain(x.text)}</>;
    }
    case 'escape':
      return <>{plain((t as Tokens.Escape).text)}</>;
    default:
      return <>{t.raw}</>;
  }
}
