// The lines of a stack trace, with runs of frames that can be folded.

export interface StackPart {
  kind: 'head' | 'cause' | 'frames';
  lines: string[];
}

const frameLine = /^\s*(?:at\s|\.\.\.\s\d+\s|File\s"|\.\.\.\s*$)|^\s{2,}\S/;
const causeLine = /^\s*(?:Caused by:|Suppressed:|Wrapped by:)/;

export function parseStack(stack: string): StackPart[] {
  const parts: StackPart[] = [];
  for (const line of stack.split(/\r?\n/)) {
    if (line.trim() === '') continue;
    const kind = causeLine.test(line) ? 'cause' : frameLine.test(line) ? 'frames' : 'head';
    const last = parts[parts.length - 1];
    if (last && last.kind === kind && kind !== 'cause') last.lines.push(line);
    else parts.push({ kind, lines: [line] });
  }
  return parts;
}

/** The last "Caused by" of a stack, without the words, or its first line: what a person looks for first. */
export function rootCause(stack: string): string {
  let at = stack.lastIndexOf('\nCaused by:');
  if (at < 0 && stack.startsWith('Caused by:')) at = -1;
  else if (at < 0) return firstLine(stack);
  return firstLine(stack.slice(at + 1));
}

function firstLine(text: string): string {
  const end = text.indexOf('\n');
  return (end < 0 ? text : text.slice(0, end)).trim();
}

export function lineCount(text: string): number {
  let n = text.endsWith('\n') ? 0 : 1;
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) n++;
  return n;
}
