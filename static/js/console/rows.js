// The rows in view: elements that are used again for other lines when the list is scrolled.
const SHOWN = 600; // characters of a line that its row shows; the rest is in the details
const SIGNS = { info: "·", success: "✓", warning: "!", error: "✕", progress: "…" };

const span = (name) => {
  const made = document.createElement("span");
  made.className = `console-${name}`;
  return made;
};

const makeRow = () => {
  const row = document.createElement("div");
  row.className = "console-row";
  row.setAttribute("role", "option");
  for (const name of ["number", "time", "level", "stage", "text"]) row.append(row[name] = span(name));
  row.level.append(row.sign = span("sign"), row.word = span("word"));
  return row;
};

// The message, with what is searched for marked.
const write = (cell, message, search) => {
  const text = message.length > SHOWN ? `${message.slice(0, SHOWN)} …` : message;
  const at = search ? text.toLowerCase().indexOf(search) : -1;
  if (at < 0) { cell.textContent = text; return; }
  const mark = document.createElement("mark");
  mark.textContent = text.slice(at, at + search.length);
  cell.replaceChildren(text.slice(0, at), mark, text.slice(at + search.length));
};

export class Rows {
  constructor(body, words) {
    this.body = body;
    this.words = words;
    this.pool = [];
  }
  // The height that each row has. Nothing has one while the console is hidden.
  measure() {
    const probe = this.body.appendChild(makeRow());
    const { height } = probe.getBoundingClientRect();
    probe.remove();
    return height || 24;
  }
  // Show these entries, the first of them as row `start`. Returns the selected row, if it is among them.
  show(entries, start, selected, search) {
    while (this.pool.length < entries.length) this.pool.push(this.body.appendChild(makeRow()));
    let found = null;
    this.pool.forEach((row, index) => {
      const entry = entries[index];
      row.hidden = !entry;
      if (entry) this.fill(row, entry, search);
      row.at = start + index;
      const chosen = Boolean(entry) && entry.sequence === selected;
      row.setAttribute("aria-selected", String(chosen));
      if (chosen) found = row;
      row.removeAttribute("id");
    });
    if (found) found.id = "console-selected";
    return found;
  }
  fill(row, entry, search) {
    if (row.entry === entry && row.search === search) return;
    row.entry = entry;
    row.search = search;
    row.dataset.level = entry.level;
    row.dataset.sequence = entry.sequence;
    row.number.textContent = this.words.number(entry.sequence);
    row.time.textContent = entry.time.slice(11, 19);
    row.sign.textContent = SIGNS[entry.level] || "·";
    row.word.textContent = this.words.word(entry.level);
    row.stage.textContent = entry.stage;
    write(row.text, entry.message, search);
  }
}
