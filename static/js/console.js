// The live log of a run: a socket (or polling) brings lines, a list shows the part in view.
//
// Whatever the length of the log, the page holds one run of consecutive lines, the segment,
// of at most KEEP lines, and a row in the page for each line in view. What is outside is
// fetched when it is scrolled to.
"use strict";
(() => {
  const KEEP = 50000; // lines in memory
  const PAGE = 1000; // lines of one request
  const OVERSCAN = 12; // rows above and below the view
  const SHOWN = 600; // characters of a line that its row shows; the rest is in the details
  const POLL = 2000;
  const PAUSES = [500, 1000, 2000, 4000, 8000, 10000];
  const ENDED = new Set(["completed", "error", "cancelled"]);
  const SIGNS = { info: "·", success: "✓", warning: "!", error: "✕", progress: "…" };
  const REFUSALS = { 4401: "signedOut", 4403: "refused", 4404: "unknown" };

  // Consecutive lines, or those of them that match a filter; `rows` are the entries shown.
  class Lines {
    constructor(since, filter) {
      this.filter = filter;
      this.entries = [];
      this.rows = [];
      this.first = since + 1;
      this.last = since; // looked at up to here
      this.full = false;
    }
    matches(entry) {
      const { levels, search } = this.filter;
      return (!levels.length || levels.includes(entry.level)) &&
        (!search || entry.message.toLowerCase().includes(search));
    }
    // Whether the entries went on where these lines end.
    append(entries, last) {
      const fresh = entries.filter((entry) => entry.sequence > this.last);
      for (const entry of this.filter ? fresh.filter((each) => this.matches(each)) : fresh) {
        this.entries.push(entry);
        this.show(entry);
      }
      this.last = Math.max(this.last, last);
      return fresh.length;
    }
    // A progress line takes the place of the one before it.
    show(entry) {
      const before = this.rows[this.rows.length - 1];
      const replaces = before && before.level === "progress" && entry.level === "progress" && before.stage === entry.stage;
      if (replaces) this.rows[this.rows.length - 1] = entry;
      else this.rows.push(entry);
    }
    // Returns how many rows were added above.
    prepend(entries) {
      const before = this.rows.length;
      this.entries = entries.filter((entry) => entry.sequence < this.first).concat(this.entries);
      this.first = this.entries.length ? this.entries[0].sequence : this.first;
      this.again();
      return this.rows.length - before;
    }
    again() {
      this.rows = [];
      for (const entry of this.entries) this.show(entry);
    }
    // Returns how many rows were taken away above.
    dropHead(count) {
      const before = this.rows.length;
      this.entries.splice(0, count);
      this.first = this.entries[0].sequence;
      this.again();
      return before - this.rows.length;
    }
    dropTail(count) {
      this.entries.length -= count;
      this.last = this.entries[this.entries.length - 1].sequence;
      this.again();
    }
    // The row that shows the line, or the one after it.
    rowOf(sequence) {
      let low = 0, high = this.rows.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (this.rows[middle].sequence < sequence) low = middle + 1; else high = middle;
      }
      return low;
    }
  }

  // Brings lines and states: by a socket, by polling where there is none.
  class Feed {
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
        if (error.status === 401) this.stop("signedOut");
        else if (error.status === 403) this.stop("refused");
        else if (error.status === 404) this.stop("unknown");
        else if (this.poller) this.on.state("trouble", "away");
      } finally {
        this.asking = false;
      }
    }
  }

  const fetchLines = async (box, query) => {
    const url = new URL(box.dataset.lines, location.href);
    for (const [name, value] of Object.entries(query)) if (value !== "") url.searchParams.set(name, value);
    const answer = await fetch(url, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (!answer.ok) throw Object.assign(new Error(answer.statusText), { status: answer.status });
    return answer.json();
  };

  class Console {
    constructor(box) {
      this.box = box;
      const part = (name) => box.querySelector(`[data-${name}]`);
      this.list = part("list"); this.space = part("space"); this.body = part("rows"); this.empty = part("empty");
      this.parts = { follow: part("follow"), error: part("first-error"), first: part("first"), last: part("last-line"),
        level: part("level"), search: part("search"), state: part("state"), position: part("position"),
        transfer: part("transfer"), detail: part("detail"), head: part("detail-head"), text: part("detail-text"),
        context: part("context"), close: part("detail-close") };
      this.total = Number(box.dataset.last);
      this.numbers = new Intl.NumberFormat(document.documentElement.lang || "en");
      this.following = true;
      this.missed = 0;
      this.selected = null;
      this.pool = [];
      this.shown = { status: box.dataset.status, stage: box.dataset.stage };
      this.lines = new Lines(Math.max(0, this.total - PAGE), null);
      this.plain = this.lines;
      for (const hidden of box.querySelectorAll("[hidden]")) {
        if (hidden.matches("[data-follow], [data-first-error], [data-first], [data-last-line], [data-filters]")) hidden.hidden = false;
      }
      this.listen();
      this.measure();
      this.say("", "connecting");
      this.feed = new Feed(box, this.lines.last, {
        lines: (entries) => this.arrive(entries), status: (state) => this.status(state),
        state: (kind, word) => this.say(kind, word), over: () => this.draw(),
      });
      this.draw();
    }
    word(name, values = {}) {
      const text = this.box.dataset[`word${name[0].toUpperCase()}${name.slice(1)}`] ?? name;
      return text.replace(/\{(\w+)\}/g, (all, key) => {
        const value = values[key];
        return typeof value === "number" ? this.numbers.format(value) : value ?? all;
      });
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
      if (lines.entries.length <= KEEP) return;
      const excess = lines.entries.length - Math.floor(KEEP * 0.8);
      if (lines.filter) { lines.full = true; return; }
      if (this.following) lines.dropHead(excess);
      else lines.dropTail(excess);
    }
    status(state) {
      this.total = Math.max(this.total, state.last_sequence || 0);
      const stage = state.stage ?? (ENDED.has(state.status) ? "" : this.shown.stage);
      const changed = state.status !== this.shown.status || stage !== this.shown.stage;
      this.shown = { status: state.status, stage };
      for (const each of document.querySelectorAll("[data-run-status]")) {
        each.textContent = this.word(state.status);
        each.dataset.runStatus = state.status;
      }
      for (const each of document.querySelectorAll("[data-run-stage]")) each.textContent = stage ? this.word(stage) : "";
      if ("bytes_done" in state) this.transfer(state);
      if (ENDED.has(state.status)) this.parts.transfer.hidden = true;
      if (changed) document.dispatchEvent(new CustomEvent("vcbench:run-changed", { detail: this.shown }));
      this.draw();
    }
    transfer(state) {
      const bytes = state.stage === "download" || state.stage === "reference";
      this.parts.transfer.hidden = !(state.status === "running" && state.bytes_total && bytes);
      for (const bar of document.querySelectorAll("progress[data-progress]")) {
        if (!state.bytes_total) { bar.removeAttribute("value"); continue; }
        bar.max = state.bytes_total;
        bar.value = state.bytes_done;
      }
      const parts = [this.word("of", { done: this.bytes(state.bytes_done), total: this.bytes(state.bytes_total || 0) })];
      if (state.rate) parts.push(`${this.bytes(state.rate)}/s`);
      if (state.eta != null) parts.push(this.word("left", { time: this.span(state.eta) }));
      for (const each of document.querySelectorAll("[data-progress-text]")) each.textContent = parts.join(" · ");
    }
    bytes(size) {
      const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
      let at = 0;
      for (; size >= 999.5 && at < units.length - 1; at += 1) size /= 1000;
      const lang = document.documentElement.lang || "en";
      return new Intl.NumberFormat(lang, { style: "unit", unit: units[at], maximumFractionDigits: at && size < 100 ? 1 : 0 }).format(size);
    }
    span(seconds) {
      const whole = Math.ceil(seconds);
      const two = (number) => String(number).padStart(2, "0");
      const hours = Math.floor(whole / 3600);
      return `${hours ? `${hours}:` : ""}${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
    }

    // What is fetched because somebody looks there
    async more() {
      if (this.fetching) return;
      const { lines } = this;
      const top = this.list.scrollTop, bottom = this.list.scrollHeight - top - this.list.clientHeight;
      const near = 40 * this.height;
      const forward = lines.last < this.total && !lines.full && (bottom < near || this.following) &&
        !(lines === this.plain && lines.last === this.feed.cursor);
      const back = !this.following && !lines.filter && lines.first > 1 && top < near;
      if (!forward && !back) return;
      this.fetching = true;
      try { await (forward ? this.forward(lines) : this.back(lines)); } catch { this.later(); return; } finally { this.fetching = false; }
      this.draw();
      requestAnimationFrame(() => this.more()); // also for lines that were turned to meanwhile
    }
    later() { setTimeout(() => this.more(), POLL); }
    async forward(lines) {
      const filter = lines.filter ? { level: lines.filter.levels.join(","), search: lines.filter.search } : {};
      const answer = await fetchLines(this.box, { since: lines.last, limit: PAGE, ...filter });
      this.total = Math.max(this.total, answer.last_sequence);
      if (lines !== this.lines) return;
      if (answer.next <= lines.last) { lines.full = true; return; } // retention has removed the rest
      lines.append(answer.logs, answer.next);
      const above = lines.rows.length;
      if (lines.entries.length > KEEP) {
        if (lines.filter) lines.full = true;
        else this.shift(-lines.dropHead(lines.entries.length - Math.floor(KEEP * 0.8)), above);
      }
    }
    async back(lines) {
      const since = Math.max(0, lines.first - 1 - PAGE);
      const answer = await fetchLines(this.box, { since, limit: lines.first - 1 - since });
      if (lines !== this.lines) return;
      if (!answer.logs.length) { lines.first = 1; return; }
      const added = lines.prepend(answer.logs);
      if (lines.entries.length > KEEP) lines.dropTail(lines.entries.length - Math.floor(KEEP * 0.8));
      this.shift(added);
    }
    shift(rows) {
      this.space.style.height = `${this.lines.rows.length * this.height}px`;
      this.list.scrollTop += rows * this.height;
    }
    // Show the lines around this one.
    async jump(sequence, select = true) {
      this.follow(false);
      this.clearFilter();
      let { lines } = this;
      if (sequence < lines.first || sequence > lines.last || !lines.rows.length) {
        const since = Math.max(0, sequence - 1 - PAGE / 2);
        lines = this.lines = this.plain = new Lines(since, null);
        try { await this.forward(lines); } catch { this.later(); }
        if (lines !== this.lines) return;
      }
      this.draw(true);
      const row = Math.min(lines.rowOf(sequence), lines.rows.length - 1);
      this.list.scrollTop = Math.max(0, (row - 3) * this.height);
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
    measure() {
      const probe = this.makeRow();
      this.body.append(probe);
      this.height = probe.getBoundingClientRect().height || 24;
      probe.remove();
    }
    makeRow() {
      const row = document.createElement("div");
      row.className = "console-row";
      row.setAttribute("role", "option");
      for (const name of ["number", "time", "level", "stage", "text"]) {
        const cell = row[name] = document.createElement("span");
        cell.className = `console-${name}`;
        row.append(cell);
      }
      row.sign = document.createElement("span");
      row.sign.className = "console-sign";
      row.word = document.createElement("span");
      row.word.className = "console-word";
      row.level.append(row.sign, row.word);
      return row;
    }
    fill(row, entry, at) {
      const selected = this.selected === entry.sequence;
      row.setAttribute("aria-selected", String(selected));
      if (selected) { row.id = "console-selected"; this.list.setAttribute("aria-activedescendant", row.id); }
      else if (row.id) row.removeAttribute("id");
      row.at = at;
      const search = this.lines.filter ? this.lines.filter.search : "";
      if (row.entry === entry && row.search === search) return;
      row.entry = entry;
      row.search = search;
      row.dataset.level = entry.level;
      row.dataset.sequence = entry.sequence;
      row.number.textContent = this.numbers.format(entry.sequence);
      row.time.textContent = entry.time.slice(11, 19);
      row.sign.textContent = SIGNS[entry.level] || "·";
      row.word.textContent = this.word(entry.level);
      row.stage.textContent = entry.stage;
      this.write(row.text, entry.message, search);
    }
    write(cell, message, search) {
      const text = message.length > SHOWN ? `${message.slice(0, SHOWN)} …` : message;
      const at = search ? text.toLowerCase().indexOf(search) : -1;
      if (at < 0) { cell.textContent = text; return; }
      const mark = document.createElement("mark");
      mark.textContent = text.slice(at, at + search.length);
      cell.replaceChildren(text.slice(0, at), mark, text.slice(at + search.length));
    }
    draw(now = false) {
      if (now) { this.paint(); return; }
      if (this.due) return;
      this.due = true;
      requestAnimationFrame(() => { this.due = false; this.paint(); });
    }
    paint() {
      const { lines, list, height } = this;
      const count = lines.rows.length;
      this.space.style.height = `${count * height}px`;
      if (this.following) { list.scrollTop = list.scrollHeight; this.expected = list.scrollTop; }
      const start = Math.max(0, Math.floor(list.scrollTop / height) - OVERSCAN);
      const end = Math.min(count, Math.ceil((list.scrollTop + list.clientHeight) / height) + OVERSCAN);
      while (this.pool.length < end - start) this.pool.push(this.body.appendChild(this.makeRow()));
      this.list.removeAttribute("aria-activedescendant");
      this.pool.forEach((row, index) => {
        row.hidden = start + index >= end;
        if (!row.hidden) this.fill(row, lines.rows[start + index], start + index);
      });
      this.body.style.transform = `translateY(${start * height}px)`;
      this.empty.hidden = count > 0;
      this.list.setAttribute("role", count ? "listbox" : "group");
      this.empty.textContent = count ? "" : this.word(lines.filter ? (lines.last < this.total && !lines.full ? "connecting" : "none") : "empty");
      this.describe(count);
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
      const resized = () => { this.measure(); this.draw(); };
      new ResizeObserver(resized).observe(list);
    }
    pick(at) {
      this.follow(false);
      this.select(at);
      this.details();
    }
    scrolled() {
      const { list } = this;
      const bottom = list.scrollHeight - list.scrollTop - list.clientHeight;
      if (this.following && list.scrollTop < this.expected - this.height) this.follow(false);
      else if (!this.following && bottom < 2 && this.lines === this.plain && this.lines.last >= this.total) this.follow(true);
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
})();
