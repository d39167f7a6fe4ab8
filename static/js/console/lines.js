// Lines of a log as they are kept in memory; knows no page and no server.
const KEEP = 50000;
const REST = 40000; // what is left when there were too many

// Consecutive lines, or those of them that match a filter; `rows` are the entries shown.
export class Lines {
  constructor(since, filter) {
    this.filter = filter;
    this.entries = [];
    this.rows = [];
    this.first = since + 1;
    this.last = since; // looked at up to here
    this.full = false;
    this.fetching = false;
  }
  matches(entry) {
    const { levels, search } = this.filter;
    return (!levels.length || levels.includes(entry.level)) &&
      (!search || entry.message.toLowerCase().includes(search));
  }
  append(entries, last) {
    const fresh = entries.filter((entry) => entry.sequence > this.last);
    for (const entry of this.filter ? fresh.filter((each) => this.matches(each)) : fresh) {
      this.entries.push(entry);
      this.show(entry);
    }
    this.last = Math.max(this.last, last);
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
  get tooMany() {
    return this.entries.length > KEEP;
  }
  // The line that has as many before it as after it.
  get middle() {
    return this.entries[this.entries.length >> 1].sequence;
  }
  // Returns how many rows were taken away above.
  dropHead() {
    const before = this.rows.length;
    this.entries.splice(0, this.entries.length - REST);
    this.first = this.entries[0].sequence;
    this.again();
    return before - this.rows.length;
  }
  dropTail() {
    this.entries.length = REST;
    this.last = this.entries[REST - 1].sequence;
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
