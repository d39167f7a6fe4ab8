// The live log of a run: a socket (or polling) brings lines, a list shows the part in view.
//
// Whatever the length of the log, the page holds one run of consecutive lines, the segment,
// and a row in the page for each line in view. What is outside is fetched when it is scrolled to.
import { Feed, fetchLines, PAGE, POLL } from "./console/feed.js";
import { Lines } from "./console/lines.js";
import { Rows } from "./console/rows.js";
import { State } from "./console/state.js";
import { Words } from "./console/words.js";

const OVERSCAN = 12; // rows above and below the view

class Console {
  constructor(box) {
    this.box = box;
    const part = (name) => box.querySelector(`[data-${name}]`);
    this.list = part("list"); this.space = part("space"); this.body = part("rows"); this.empty = part("empty");
    this.parts = { follow: part("follow"), error: part("first-error"), first: part("first"), last: part("last-line"),
      level: part("level"), search: part("search"), state: part("state"), position: part("position"),
      detail: part("detail"), head: part("detail-head"), text: part("detail-text"),
      context: part("context"), close: part("detail-close") };
    this.total = Number(box.dataset.last);
    this.words = new Words(box);
    this.state = new State(box, this.words);
    this.rows = new Rows(this.body, this.words);
    this.following = true;
    this.seen = 0; // the scrollTop that was last known
    this.missed = 0;
    this.selected = null;
    this.lines = new Lines(Math.max(0, this.total - PAGE), null);
    this.plain = this.lines;
    for (const hidden of box.querySelectorAll("[hidden]")) {
      if (hidden.matches("[data-follow], [data-first-error], [data-first], [data-last-line], [data-filters]")) hidden.hidden = false;
    }
    this.listen();
    this.height = this.rows.measure();
    this.say("", "connecting");
    this.feed = new Feed(box, this.lines.last, {
      lines: (entries) => this.arrive(entries), status: (state) => this.status(state),
      state: (kind, word) => this.say(kind, word), over: () => this.draw(),
    });
    this.draw();
  }
  word(name, values) {
    return this.words.word(name, values);
  }
  say(kind, word) {
    const text = this.word(word);
    this.parts.state.dataset.kind = kind;
    if (this.parts.state.textContent !== text) this.parts.state.textContent = text;
  }

  // What comes in
  arrive(entries) {
    const last = entries[entries.length - 1].sequence;
    this.total = Math.max(this.total, last);
    const { lines } = this;
    if (lines.last === entries[0].sequence - 1 && !lines.full) {
      const rows = lines.rows.length;
      lines.append(entries, last);
      if (!this.following) this.missed += Math.max(0, lines.rows.length - rows);
      this.bound();
    } else if (!this.following) this.missed += entries.length;
    this.draw();
    if (this.following) this.more();
  }
  // Keep the segment within bounds: away from what is being looked at.
  bound() {
    const { lines } = this;
    if (!lines.tooMany) return;
    if (lines.filter) lines.full = true;
    else if (this.following) lines.dropHead();
    else if (this.top > lines.middle) this.shift(-lines.dropHead());
    else lines.dropTail();
  }
  // The line at the top of the view.
  get top() {
    const { rows } = this.lines;
    return rows[Math.min(rows.length - 1, Math.floor(this.list.scrollTop / this.height))].sequence;
  }
  status(state) {
    this.total = Math.max(this.total, state.last_sequence || 0);
    this.state.show(state);
    this.draw();
  }

  // What is fetched because somebody looks there
  async more() {
    const { lines } = this;
    if (lines.fetching || this.hidden) return;
    const top = this.list.scrollTop, bottom = this.list.scrollHeight - top - this.list.clientHeight;
    const near = 40 * this.height;
    const forward = lines.last < this.total && !lines.full && (bottom < near || this.following) &&
      !(lines === this.plain && lines.last === this.feed.cursor);
    const back = !this.following && !lines.filter && lines.first > 1 && top < near;
    if (!forward && !back) return;
    try { await this.fetch(lines, forward ? this.forward : this.back); } catch { this.later(); return; }
    this.draw();
    requestAnimationFrame(() => this.more()); // also for lines that were turned to meanwhile
  }
  later() { setTimeout(() => this.more(), POLL); }
  // One fetch at a time for the same lines: a second one would ask for what the first brings.
  async fetch(lines, bring) {
    lines.fetching = true;
    try { await bring.call(this, lines); } finally { lines.fetching = false; }
  }
  async forward(lines) {
    const filter = lines.filter ? { level: lines.filter.levels.join(","), search: lines.filter.search } : {};
    const answer = await fetchLines(this.box, { since: lines.last, limit: PAGE, ...filter });
    this.total = Math.max(this.total, answer.last_sequence);
    if (lines !== this.lines) return;
    if (answer.next <= lines.last) { lines.full = true; return; } // retention has removed the rest
    lines.append(answer.logs, answer.next);
    this.bound();
  }
  async back(lines) {
    const since = Math.max(0, lines.first - 1 - PAGE);
    const answer = await fetchLines(this.box, { since, limit: lines.first - 1 - since });
    if (lines !== this.lines) return;
    if (!answer.logs.length) { lines.first = 1; return; }
    this.shift(lines.prepend(answer.logs));
    this.bound();
  }
  // Keep the same lines in view when there are that many more rows above it.
  shift(rows) {
    const top = this.list.scrollTop + rows * this.height; // asked before the browser clamps it to the new height
    this.space.style.height = `${this.lines.rows.length * this.height}px`;
    this.move(top);
  }
  // A move of the console's own; its scroll event is not taken for a person's.
  move(top) {
    this.list.scrollTop = top;
    this.seen = this.list.scrollTop;
  }
  // Show the lines around this one.
  async jump(sequence, select = true) {
    this.follow(false);
    this.clearFilter();
    let { lines } = this;
    if (sequence < lines.first || sequence > lines.last || !lines.rows.length) {
      const since = Math.max(0, sequence - 1 - PAGE / 2);
      lines = this.lines = this.plain = new Lines(since, null);
      try { await this.fetch(lines, this.forward); } catch { this.later(); }
      if (lines !== this.lines) return;
    }
    this.draw(true);
    const row = Math.min(lines.rowOf(sequence), lines.rows.length - 1);
    this.move(Math.max(0, (row - 3) * this.height));
    if (select && row >= 0) this.select(row); else this.draw();
  }
  toEnd() {
    this.clearFilter();
    if (this.lines.last < this.feed.cursor) this.lines = this.plain = new Lines(Math.max(0, this.total - PAGE), null);
    this.follow(true);
    this.more();
  }
  async firstError() {
    let answer = { next: 0 };
    do {
      answer = await fetchLines(this.box, { since: answer.next, limit: 1, level: "error" });
      if (answer.logs.length) return this.jump(answer.logs[0].sequence);
    } while (answer.next < answer.last_sequence);
    this.parts.position.textContent = this.word("noError");
  }
  setFilter() {
    const levels = this.parts.level.value.split(",").filter(Boolean);
    const search = this.parts.search.value.trim().toLowerCase();
    if (!levels.length && !search) this.lines = this.plain;
    else { this.lines = new Lines(0, { levels, search }); this.lines.first = 1; }
    this.unselect();
    this.list.scrollTop = 0;
    this.draw();
    if (this.lines === this.plain && this.following) this.toEnd();
    this.more();
  }
  clearFilter() {
    this.parts.level.value = "";
    this.parts.search.value = "";
    if (this.lines !== this.plain) { this.lines = this.plain; this.unselect(); }
  }

  // What is seen
  // In print there is no console: nothing has a height, and where it was scrolled to cannot be asked.
  get hidden() {
    return !this.list.clientHeight;
  }
  draw(now = false) {
    if (now) { this.paint(); return; }
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => { this.due = false; this.paint(); });
  }
  paint() {
    const { lines, list, height } = this;
    if (this.hidden) return;
    const count = lines.rows.length;
    this.space.style.height = `${count * height}px`;
    if (this.following) { this.move(list.scrollHeight); this.expected = this.seen; }
    const start = Math.max(0, Math.floor(list.scrollTop / height) - OVERSCAN);
    const end = Math.min(count, Math.ceil((list.scrollTop + list.clientHeight) / height) + OVERSCAN);
    const selected = this.rows.show(lines.rows.slice(start, end), start, this.selected, lines.filter ? lines.filter.search : "");
    if (selected) list.setAttribute("aria-activedescendant", selected.id);
    else list.removeAttribute("aria-activedescendant");
    this.body.style.transform = `translateY(${start * height}px)`;
    list.setAttribute("role", count ? "listbox" : "group");
    this.empty.hidden = count > 0;
    this.empty.textContent = count ? "" : this.word(this.whyEmpty());
    this.describe(count);
  }
  whyEmpty() {
    const { filter, last, full } = this.lines;
    if (!filter) return "empty";
    return last < this.total && !full ? "connecting" : "none";
  }
  describe(count) {
    const { lines, list, height } = this;
    const { follow, position } = this.parts;
    follow.textContent = this.word(this.following ? "pause" : "follow");
    follow.setAttribute("aria-pressed", String(this.following));
    if (!count) { position.textContent = ""; return; }
    const top = Math.min(count - 1, Math.floor(list.scrollTop / height));
    const bottom = Math.min(count - 1, Math.floor((list.scrollTop + list.clientHeight - 1) / height));
    const parts = lines.filter
      ? [this.word("matches", { count, scanned: Math.min(lines.last, this.total), total: this.total })]
      : [this.word("lines", { first: lines.rows[top].sequence, last: lines.rows[bottom].sequence, total: this.total })];
    if (lines.filter && lines.full) parts.push(this.word("many", { count }));
    if (this.missed && !this.following) parts.push(this.word("new", { count: this.missed }));
    position.textContent = parts.join(" · ");
  }
  follow(on) {
    this.following = on;
    if (on) this.missed = 0;
    this.draw();
  }
  select(at) {
    const { rows } = this.lines;
    const row = Math.max(0, Math.min(rows.length - 1, at));
    if (!rows.length) return;
    this.selected = rows[row].sequence;
    const top = row * this.height, { list } = this;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + this.height > list.scrollTop + list.clientHeight) list.scrollTop = top + this.height - list.clientHeight;
    this.draw(true);
    if (!this.parts.detail.hidden) this.details();
  }
  unselect() {
    this.selected = null;
    this.parts.detail.hidden = true;
  }
  details() {
    const { rows } = this.lines;
    const entry = rows[this.lines.rowOf(this.selected)];
    if (!entry || entry.sequence !== this.selected) return;
    const when = entry.time.slice(0, 23).replace("T", " ");
    this.parts.head.textContent = [this.word("line", { line: entry.sequence }), `${when} UTC`, this.word(entry.level),
      entry.stage && this.word(entry.stage)].filter(Boolean).join(" · ");
    this.parts.text.textContent = entry.message;
    this.parts.context.hidden = !this.lines.filter;
    this.parts.detail.hidden = false;
  }

  // What people do
  listen() {
    const { parts, list } = this;
    parts.follow.addEventListener("click", () => { if (this.following) this.follow(false); else this.toEnd(); });
    parts.error.addEventListener("click", () => { this.firstError().catch(() => this.say("trouble", "away")); });
    parts.first.addEventListener("click", () => this.jump(1, false));
    parts.last.addEventListener("click", () => this.toEnd());
    parts.level.addEventListener("change", () => this.setFilter());
    let typing = 0;
    parts.search.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(() => this.setFilter(), 250); });
    parts.close.addEventListener("click", () => { this.unselect(); this.draw(); list.focus(); });
    parts.context.addEventListener("click", () => { this.jump(this.selected); list.focus(); });
    list.addEventListener("scroll", () => this.scrolled(), { passive: true });
    list.addEventListener("click", (event) => {
      const row = event.target.closest(".console-row");
      if (!row || String(getSelection())) return;
      this.pick(row.at);
    });
    list.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.resized()).observe(list);
  }
  pick(at) {
    this.follow(false);
    this.select(at);
    this.seen = this.list.scrollTop; // a row that was cut off is brought into view, even the last one
    this.details();
  }
  resized() {
    this.height = this.rows.measure();
    this.draw();
    this.more();
  }
  scrolled() {
    if (this.hidden) return;
    const { list } = this;
    const bottom = list.scrollHeight - list.scrollTop - list.clientHeight;
    const down = list.scrollTop > this.seen;
    this.seen = list.scrollTop;
    // In a list that has grown the browser moves up as well, but stays at the end.
    if (this.following && bottom > this.height && list.scrollTop < this.expected - this.height) this.follow(false);
    else if (!this.following && down && bottom < 2 && this.lines === this.plain && this.lines.last >= this.total) this.follow(true);
    this.draw();
    this.more();
  }
  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const page = Math.floor(this.list.clientHeight / this.height) - 1;
    const at = this.selected === null ? Math.floor(this.list.scrollTop / this.height) : this.lines.rowOf(this.selected);
    const moves = { ArrowDown: at + (this.selected === null ? 0 : 1), ArrowUp: at - 1, PageDown: at + page, PageUp: at - page };
    if (event.key in moves) { this.following = false; this.select(moves[event.key]); this.more(); }
    else if (event.key === "Home") this.jump(1);
    else if (event.key === "End") this.toEnd();
    else if (event.key === "Enter" && this.selected !== null) this.details();
    else if (event.key === "Escape") { this.unselect(); this.draw(); }
    else return;
    event.preventDefault();
  }
}

for (const box of document.querySelectorAll("[data-console]")) box.console = new Console(box);
