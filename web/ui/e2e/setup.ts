// The server the tests talk to: the one named by WEIR_URL, or the binary named by WEIR_BIN playing its demo in a folder of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Base address of the UI, without a slash at its end. */
    url: string;
    /** A log file the server reads; '' when only the address is known. */
    logFile: string;
  }
}

const readyWithin = 60_000;

export default async function setup(project: TestProject) {
  const given = process.env.WEIR_URL;
  if (given) {
    project.provide('url', given.replace(/\/$/, ''));
    project.provide('logFile', process.env.WEIR_LOG ?? '');
    return;
  }
  const bin = process.env.WEIR_BIN;
  if (!bin) throw new Error('set WEIR_BIN to the weir binary, or WEIR_URL to a running UI');
  const data = mkdtempSync(join(tmpdir(), 'weir-e2e-'));
  const any = '127.0.0.1:0';
  const listen = ['ui', 'kafka', 'elasticsearch', 'monitor'].flatMap((p) => [`--listen-${p}`, any]);
  const child = spawn(bin, ['demo', '--data', data, ...listen], { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await ready(child);
  project.provide('url', url.replace(/\/$/, ''));
  project.provide('logFile', firstLog(data));
  return async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
    rmSync(data, { recursive: true, force: true });
  };
}

/** The address in the first line of JSON on standard output. */
export function ready(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('weir did not become ready')), readyWithin);
    child.once('exit', (code) => reject(new Error(`weir ended with ${code} before it was ready`)));
    if (!child.stdout) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const url = addressIn(line);
      if (!url) return;
      clearTimeout(timer);
      resolve(url);
    });
  });
}

function addressIn(line: string): string {
  if (!line.startsWith('{')) return '';
  try {
    const v = JSON.parse(line);
    for (const at of [v, v.listen, v.addresses, v.urls]) {
      if (typeof at?.ui === 'string') return at.ui.startsWith('http') ? at.ui : `http://${at.ui}`;
    }
  } catch {
    // other output
  }
  return '';
}

function firstLog(dir: string): string {
  const found = readdirSync(dir, { recursive: true, withFileTypes: true }).find(
    (e) => e.isFile() && e.name.endsWith('.log'),
  );
  return found ? join(found.parentPath, found.name) : '';
}
