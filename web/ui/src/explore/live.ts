// Live tail: rows arrive over a WebSocket into a bounded ring. While the view follows, it shows the newest rows; while it is
// paused, it shows exactly what it showed, and what came since is counted. Every row that is never shown is counted as skipped.

import type * as api from '../api';

export interface LiveRow extends api.Row {
  /** Position in the stream, the key of the row; grows by one. */
  n: number;
  /** Milliseconds by which it is older than a row that came before it; 0 when in order. */
  late: number;
  /** When it came, by this browser's clock; 0 for rows from the search at the start. */
  came: number;
  /** The connection was lost before this row. */
  gap: boolean;
}

export interface LiveView {
  rows: LiveRow[];
  status: 'connecting' | 'open' | 'lost' | 'refused';
  /** When the next try begins, in ms since 1970. */
  retryAt: number;
  reason: string;
  paused: boolean;
  /** Rows that came since the pause. */
  fresh: number;
  skipped: number;
  unseen: number;
  /** Milliseconds between the newest row and the server's clock; null before the first. */
  behind: number | null;
  /** Rows per second over the last five seconds. */
  rate: number;
  /** Whether the first frame came. */
  ready: boolean;
  /** The server asks the store once a second, because no pipeline runs beside it. */
  polling: boolean;
}

/** Rows kept; the oldest go first. */
export const rowLimit = 100_000;
/** A row is called late when it is older than its neighbours by more than this. */
const lateAfter = 5000;
const rateWindow = 5000;
const firstRetry = 500;
const maxRetry = 10_000;
/** Ids compared when a connection is joined again. */
const joinWindow = 2000;

interface Socket {
  onmessage: ((e: { data: unknown }) => void) | null;
  onclose: ((e: { code: number; reason: string }) => void) | null;
  close(): void;
}

export interface LiveOptions {
  url: string;
  /** Made by the caller, so that tests need no network. */
  open?: (url: string) => Socket;
  /** Why a connection that never opened was refused for good; null when it is worth another try. A browser does not tell. */
  refusal?: () => Promise<string | null>;
  now?: () => number;
  limit?: number;
}

export class LiveTail {
  private rows: LiveRow[] = [];
  /** Rows that came while paused; they join the view when it goes on. */
  private pending: LiveRow[] = [];
  private count = 0;
  private newest = 0;
  // The server counts per connection: these hold this one's counts, and the sum of those before it.
  private serverSkipped = 0;
  private serverSkippedBefore = 0;
  private unseen = 0;
  private unseenBefore = 0;
  /** Rows thrown away here because a pause lasted too long. */
  private lostHere = 0;
  private retries = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private socket: Socket | null = null;
  private stopped = false;
  private arrivals: { at: number; n: number }[] = [];
  private view: LiveView;
  private readonly listeners = new Set<() => void>();
  private frame = 0;
  private readonly open: (url: string) => Socket;
  private readonly now: () => number;
  private readonly limit: number;

  constructor(private readonly options: LiveOptions) {
    this.open = options.open ?? ((u) => new WebSocket(u) as unknown as Socket);
    this.now = options.now ?? Date.now;
    this.limit = options.limit ?? rowLimit;
    this.view = {
      rows: [],
      status: 'connecting',
      retryAt: 0,
      reason: '',
      paused: false,
      fresh: 0,
      skipped: 0,
      unseen: 0,
      behind: null,
      rate: 0,
      ready: false,
      polling: false,
    };
  }

  readonly subscribe = (l: () => void) => {
    this.listeners.add(l);
    return () => this.listeners.delete(l);
  };

  readonly snapshot = (): LiveView => this.view;

  start() {
    this.stopped = false;
    this.connect();
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    this.socket?.close();
    this.socket = null;
  }

  pause() {
    if (this.view.paused) return;
    this.publish({ paused: true });
  }

  resume() {
    if (!this.view.paused) return;
    this.append(this.pending);
    this.pending = [];
    this.publish({ paused: false, fresh: 0, rows: this.rows });
  }

  /** Try now instead of when the wait is over. */
  retry() {
    clearTimeout(this.timer);
    this.connect();
  }

  private connect() {
    this.publish({ status: this.view.ready ? this.view.status : 'connecting', retryAt: 0 });
    const socket = this.open(this.options.url);
    let heard = false;
    this.socket = socket;
    socket.onmessage = (e) => {
      if (this.socket !== socket || typeof e.data !== 'string') return;
      heard = true;
      this.receive(JSON.parse(e.data) as api.TailFrame);
    };
    socket.onclose = (e) => {
      if (this.socket !== socket || this.stopped) return;
      if (heard || !this.options.refusal) return this.lost(e.code, e.reason);
      this.options.refusal().then((why) => {
        if (this.socket !== socket || this.stopped) return;
        if (why === null) this.lost(e.code, e.reason);
        else this.publish({ status: 'refused', reason: why });
      });
    };
  }

  private lost(code: number, reason: string) {
    // The server closes with 1008 (policy) when it will not serve this search: trying again would not help.
    if (code === 1008) {
      this.publish({ status: 'refused', reason });
      return;
    }
    const wait = Math.min(maxRetry, firstRetry * 2 ** this.retries);
    this.retries++;
    this.serverSkippedBefore += this.serverSkipped;
    this.unseenBefore += this.unseen;
    this.serverSkipped = 0;
    this.unseen = 0;
    this.publish({ status: 'lost', reason, retryAt: this.now() + wait });
    this.timer = setTimeout(() => this.connect(), wait);
  }

  private receive(f: api.TailFrame) {
    this.retries = 0;
    this.serverSkipped = f.skipped ?? this.serverSkipped;
    this.unseen = f.unseen ?? this.unseen;
    const rows = this.take(f);
    if (this.view.paused) this.hold(rows);
    else this.append(rows);
    const behind =
      rows.length > 0 && !f.history ? Math.max(0, Date.parse(f.now) - rows[rows.length - 1].t) : this.view.behind;
    this.change({ status: 'open', ready: true, behind, polling: f.polling ?? this.view.polling });
  }

  private take(f: api.TailFrame): LiveRow[] {
    const came = f.history ? 0 : this.now();
    let rows = f.rows ?? [];
    let gap = false;
    if (f.history && this.view.ready) {
      const have = new Set([...this.rows, ...this.pending].slice(-joinWindow).map((r) => r.id));
      const fresh = rows.filter((r) => !have.has(r.id));
      gap = fresh.length === rows.length && rows.length > 0 && have.size > 0;
      rows = fresh;
    }
    if (came > 0) this.arrivals.push({ at: came, n: rows.length });
    return rows.map((r, i) => {
      const behind = this.newest - r.t;
      this.newest = Math.max(this.newest, r.t);
      return { ...r, n: this.count++, late: behind > lateAfter && came > 0 ? behind : 0, came, gap: gap && i === 0 };
    });
  }

  private hold(rows: LiveRow[]) {
    for (const r of rows) this.pending.push(r);
    const over = this.pending.length - this.limit;
    if (over > 0) {
      this.pending.splice(0, over);
      this.lostHere += over;
    }
  }

  private append(rows: LiveRow[]) {
    if (rows.length === 0) return;
    for (const r of rows) this.rows.push(r);
    // Cutting a tenth at a time keeps the cost of a full ring constant per row.
    if (this.rows.length > this.limit * 1.1) this.rows.splice(0, this.rows.length - this.limit);
  }

  /** Publishes at the next animation frame, so that a burst of messages draws once. */
  private change(patch: Partial<LiveView>) {
    this.view = { ...this.view, ...patch };
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.publish({});
    });
  }

  private publish(patch: Partial<LiveView>) {
    const now = this.now();
    this.arrivals = this.arrivals.filter((a) => now - a.at < rateWindow);
    this.view = {
      ...this.view,
      rows: this.rows,
      fresh: this.pending.length,
      skipped: this.serverSkippedBefore + this.serverSkipped + this.lostHere,
      unseen: this.unseenBefore + this.unseen,
      rate: this.arrivals.reduce((s, a) => s + a.n, 0) / (rateWindow / 1000),
      ...patch,
    };
    for (const l of this.listeners) l();
  }
}
