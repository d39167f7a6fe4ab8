// How the run stands, wherever the page tells it: see templates/runs/_console.html.
export const ENDED = new Set(["completed", "error", "cancelled"]);

const all = (selector) => document.querySelectorAll(selector);

export class State {
  constructor(box, words) {
    this.words = words;
    this.transfer = box.querySelector("[data-transfer]");
    this.shown = { status: box.dataset.status, stage: box.dataset.stage };
  }
  show(state) {
    const { status } = state;
    const stage = state.stage ?? (ENDED.has(status) ? "" : this.shown.stage);
    const changed = status !== this.shown.status || stage !== this.shown.stage;
    this.shown = { status, stage };
    for (const each of all("[data-run-status]")) {
      each.textContent = this.words.word(status);
      each.dataset.runStatus = status;
    }
    for (const each of all("[data-run-stage]")) each.textContent = stage ? this.words.word(stage) : "";
    if ("bytes_done" in state) this.showTransfer(state);
    if (ENDED.has(status)) this.transfer.hidden = true;
    if (changed) document.dispatchEvent(new CustomEvent("vcbench:run-changed", { detail: this.shown }));
  }
  showTransfer({ status, stage, bytes_done: done, bytes_total: total, rate, eta }) {
    const bytes = stage === "download" || stage === "reference";
    this.transfer.hidden = !(status === "running" && total && bytes);
    for (const bar of all("progress[data-progress]")) {
      if (!total) { bar.removeAttribute("value"); continue; }
      bar.max = total;
      bar.value = done;
    }
    const { words } = this;
    const parts = [words.word("of", { done: words.bytes(done), total: words.bytes(total || 0) })];
    if (rate) parts.push(`${words.bytes(rate)}/s`);
    if (eta != null) parts.push(words.word("left", { time: words.span(eta) }));
    for (const each of all("[data-progress-text]")) each.textContent = parts.join(" · ");
  }
}
