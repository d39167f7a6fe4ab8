// What the server sends: lines and states, by a socket, by polling where there is none.
import { ENDED } from "./state.js";

export const PAGE = 1000; // lines of one request
export const POLL = 2000;
const QUIET = 15000; // without a word from the socket: look whether it has died
const PATIENCE = 15000; // for the next bytes of an answer
const PAUSES = [500, 1000, 2000, 4000, 8000, 10000];
const REFUSALS = { 4401: "signedOut", 4403: "refused", 4404: "unknown" };
const STATUSES = { 401: "signedOut", 403: "refused", 404: "unknown" };

export const fetchLines = async (box, query) => {
  const url = new URL(box.dataset.lines, location.href);
  for (const [name, value] of Object.entries(query)) if (value !== "") url.searchParams.set(name, value);
  const patience = new Patience();
  try {
    const answer = await fetch(url, { credentials: "same-origin", headers: { Accept: "application/json" }, signal: patience.signal });
    if (!answer.ok) throw Object.assign(new Error(answer.statusText), { status: answer.status });
    return JSON.parse(await patience.text(answer));
  } finally {
    patience.end();
  }
};

// Ends a request on which nothing has come for so long; one that is slow goes on.
class Patience {
  constructor() {
    this.controller = new AbortController();
    this.signal = this.controller.signal;
    this.renew();
  }
  renew() {
    this.end();
    this.timer = setTimeout(() => this.controller.abort(), PATIENCE);
  }
  end() {
    clearTimeout(this.timer);
  }
  async text(answer) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text;
      this.renew();
      text += value;
    }
  }
}

// `on` has what is called: lines(entries), status(state), state(kind, word), over().
export class Feed {
  constructor(box, since, on) {
    Object.assign(this, { box, cursor: since, on, failures: 0, over: false, timer: 0, poller: 0, quiet: 0, asking: null });
    this.connect();
    const wake = () => { if (!document.hidden && !this.over) this.doubt(); };
    document.addEventListener("visibilitychange", wake);
    window.addEventListener("online", wake);
  }
  connect() {
    if (this.over) return;
    const url = new URL(this.box.dataset.socket, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    url.search = `since=${this.cursor}`;
    let socket;
    try { socket = new WebSocket(url); } catch { this.lost(); return; }
    this.socket = socket;
    this.watch();
    const slow = setTimeout(() => { if (socket.readyState === 0) socket.close(); }, 10000);
    socket.onopen = () => { clearTimeout(slow); };
    socket.onmessage = (event) => { this.watch(); this.opened(); this.hear(JSON.parse(event.data)); };
    socket.onclose = (event) => {
      clearTimeout(slow);
      const refusal = REFUSALS[event.code];
      if (refusal) this.stop(refusal); else this.lost();
    };
  }
  watch() {
    this.heardAt = Date.now();
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => this.doubt(), QUIET);
  }
  // A network can forget a connection and tell neither side: then the socket is silent for ever,
  // as it is where nothing happens. What tells them apart is whether there is something to be had.
  async doubt() {
    const { socket, heardAt, cursor } = this;
    const answered = await this.ask();
    if (this.over || !socket || this.socket !== socket) return;
    const silent = this.heardAt === heardAt && Date.now() - heardAt >= QUIET;
    if (silent && (!answered || this.cursor > cursor)) this.lost();
    else this.watch();
  }
  // Closing a dead connection may take minutes; nobody waits for it.
  drop() {
    clearTimeout(this.quiet);
    if (!this.socket) return;
    Object.assign(this.socket, { onopen: null, onmessage: null, onclose: null });
    this.socket.close();
    this.socket = null;
  }
  opened() {
    if (this.failures || !this.heard) this.on.state("live", "live");
    this.failures = 0;
    this.heard = true;
    clearInterval(this.poller);
    this.poller = 0;
  }
  lost() {
    this.drop();
    const pause = PAUSES[Math.min(this.failures, PAUSES.length - 1)];
    this.failures += 1;
    if (this.failures === 1) this.on.state("trouble", this.heard ? "again" : "connecting");
    if (this.failures >= 2 && !this.poller) {
      this.poller = setInterval(() => this.ask(), POLL);
      this.ask();
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), pause * (0.75 + Math.random() / 2));
  }
  hear(frame) {
    if (frame.type === "log") this.take(frame.entries);
    else if (frame.type === "status") this.on.status(frame);
    else if (frame.type === "end") this.end(frame);
  }
  take(entries) {
    const fresh = entries.filter((entry) => entry.sequence > this.cursor);
    if (!fresh.length) return;
    this.cursor = fresh[fresh.length - 1].sequence;
    this.on.lines(fresh);
  }
  end(frame) {
    this.on.status(frame);
    this.stop("over");
  }
  stop(word) {
    this.over = true;
    clearTimeout(this.timer);
    clearInterval(this.poller);
    this.drop();
    this.on.state(word === "over" ? "over" : "trouble", word);
    this.on.over();
  }
  // Whether the server has answered; who asks meanwhile gets the same answer.
  ask() {
    this.asking ??= this.poll().finally(() => { this.asking = null; });
    return this.asking;
  }
  async poll() {
    try {
      let answer;
      do {
        answer = await fetchLines(this.box, { since: this.cursor, limit: PAGE });
        if (this.over) return true;
        if (this.poller) this.on.state("trouble", "polling");
        this.take(answer.logs);
        this.on.status({ status: answer.status, last_sequence: answer.last_sequence });
      } while (answer.logs.length && answer.next < answer.last_sequence);
      // An ended run writes no more; the status was read before the lines.
      if (ENDED.has(answer.status) && answer.next >= answer.last_sequence) this.end(answer);
      return true;
    } catch (error) {
      if (error.status in STATUSES) this.stop(STATUSES[error.status]);
      else if (this.poller) this.on.state("trouble", "away");
      return false;
    }
  }
}
