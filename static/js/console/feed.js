// What the server sends: lines and states, by a socket, by polling where there is none.
import { ENDED } from "./state.js";

export const PAGE = 1000; // lines of one request
export const POLL = 2000;
const PAUSES = [500, 1000, 2000, 4000, 8000, 10000];
const REFUSALS = { 4401: "signedOut", 4403: "refused", 4404: "unknown" };
const STATUSES = { 401: "signedOut", 403: "refused", 404: "unknown" };

export const fetchLines = async (box, query) => {
  const url = new URL(box.dataset.lines, location.href);
  for (const [name, value] of Object.entries(query)) if (value !== "") url.searchParams.set(name, value);
  const answer = await fetch(url, { credentials: "same-origin", headers: { Accept: "application/json" } });
  if (!answer.ok) throw Object.assign(new Error(answer.statusText), { status: answer.status });
  return answer.json();
};

// `on` has what is called: lines(entries), status(state), state(kind, word), over().
export class Feed {
  constructor(box, since, on) {
    Object.assign(this, { box, cursor: since, on, failures: 0, over: false, timer: 0, poller: 0 });
    this.connect();
    const wake = () => { if (!document.hidden && !this.over) this.ask(); };
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
    const slow = setTimeout(() => { if (socket.readyState === 0) socket.close(); }, 10000);
    socket.onopen = () => { clearTimeout(slow); };
    socket.onmessage = (event) => { this.opened(); this.hear(JSON.parse(event.data)); };
    socket.onclose = (event) => {
      clearTimeout(slow);
      if (this.over) return;
      const refusal = REFUSALS[event.code];
      if (refusal) this.stop(refusal); else this.lost();
    };
  }
  opened() {
    if (this.failures || !this.heard) this.on.state("live", "live");
    this.failures = 0;
    this.heard = true;
    clearInterval(this.poller);
    this.poller = 0;
  }
  lost() {
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
    this.on.state(word === "over" ? "over" : "trouble", word);
    this.on.over();
  }
  async ask() {
    if (this.asking || this.over) return;
    this.asking = true;
    try {
      let answer;
      do {
        answer = await fetchLines(this.box, { since: this.cursor, limit: PAGE });
        if (this.over) return;
        if (this.poller) this.on.state("trouble", "polling");
        this.take(answer.logs);
        this.on.status({ status: answer.status, last_sequence: answer.last_sequence });
      } while (answer.logs.length && answer.next < answer.last_sequence);
      // An ended run writes no more; the status was read before the lines.
      if (ENDED.has(answer.status) && answer.next >= answer.last_sequence) this.end(answer);
    } catch (error) {
      if (error.status in STATUSES) this.stop(STATUSES[error.status]);
      else if (this.poller) this.on.state("trouble", "away");
    } finally {
      this.asking = false;
    }
  }
}
