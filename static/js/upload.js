// A ZIP is sent in parts before its form, with progress; it goes on after a cut, and after
// a reload when the same file is chosen again. Without this script the browser sends the
// file with the form.
"use strict";
(() => {
  const form = document.querySelector("form[data-upload]");
  const box = document.getElementById("upload-progress");
  if (!form || !box) return;
  const picker = form.querySelector("input[type=file]");
  const upload = form.querySelector("[data-upload-id]");
  const button = form.querySelector("[data-send]");
  const bar = box.querySelector("progress");
  const words = box.querySelector("[data-words]");
  const stop = box.querySelector("[data-stop]");
  const TRIES = 8;
  const lang = document.documentElement.lang;

  const key = (file) => `vcbench-upload ${file.name} ${file.size} ${file.lastModified}`;
  const keep = (file, id) => { try { localStorage.setItem(key(file), id); } catch { /* private window */ } };
  const kept = (file) => { try { return localStorage.getItem(key(file)); } catch { return null; } };
  const forget = (file) => { try { localStorage.removeItem(key(file)); } catch { /* private window */ } };
  const ANSWER_MS = 5000;
  const amount = (bytes) => {
    const giga = bytes >= 1e9;
    const value = giga ? bytes / 1e9 : bytes / 1e6;
    const unit = lang === "fr" ? (giga ? "Go" : "Mo") : (giga ? "GB" : "MB");
    return `${value.toLocaleString(lang, { maximumFractionDigits: value < 10 ? 1 : 0 })} ${unit}`;
  };

  class Refused extends Error {}
  class Stopped extends Error {}

  // One upload of one file; `end` ends at once what is waited for.
  class Sending {
    constructor(file) {
      this.file = file;
      this.stopped = false;
      this.end = () => {};
      this.marks = [];
    }
    pause(ms) {
      return new Promise((done) => {
        this.end = done;
        setTimeout(done, ms);
      });
    }
    ask(method, url, body, type, moved) {
      return new Promise((done, fail) => {
        const xhr = new XMLHttpRequest();
        // The answer to a POST names what a stop has to delete: a stop waits for it.
        this.end = () => (method === "POST" ? setTimeout(() => xhr.abort(), ANSWER_MS) : xhr.abort());
        xhr.open(method, url);
        xhr.setRequestHeader("X-CSRFToken", form.elements.csrfmiddlewaretoken.value);
        if (type) xhr.setRequestHeader("Content-Type", type);
        if (moved) xhr.upload.addEventListener("progress", (event) => moved(event.loaded));
        xhr.addEventListener("load", () => done(xhr));
        xhr.addEventListener("error", () => fail(new Error("cut")));
        xhr.addEventListener("abort", () => fail(new Stopped()));
        xhr.send(body ?? null);
      });
    }
    answer(xhr) {
      const json = (() => { try { return JSON.parse(xhr.responseText); } catch { return {}; } })();
      if (xhr.status < 300) return json;
      if (xhr.status >= 500 && xhr.status !== 507) throw new Error("server");
      throw new Refused(json.error?.message || box.dataset.failed);
    }
    async begin() {
      const id = kept(this.file);
      if (id) {
        const xhr = await this.ask("GET", `${box.dataset.parts}/${id}`);
        if (xhr.status !== 404) return this.answer(xhr);
        forget(this.file);
      }
      const body = JSON.stringify({ name: this.file.name, size: this.file.size });
      const made = this.answer(await this.ask("POST", box.dataset.parts, body, "application/json"));
      keep(this.file, made.upload);
      return made;
    }
    async part(state) {
      const piece = this.file.slice(state.offset, state.offset + state.part_bytes);
      const url = `${box.dataset.parts}/${state.upload}?offset=${state.offset}`;
      const xhr = await this.ask("PATCH", url, piece, "application/octet-stream", (sent) => this.show(state.offset + sent));
      if (xhr.status === 409) return { ...state, offset: Number(xhr.getResponseHeader("Upload-Offset")) };
      return this.answer(xhr);
    }
    async run() {
      let state = null;
      let tries = 0;
      for (;;) {
        if (this.stopped) throw new Stopped();
        if (state && state.offset >= this.file.size) return state.upload;
        try {
          const next = state ? await this.part(state) : await this.begin();
          if (!state || next.offset !== state.offset) tries = 0;
          state = next;
          this.show(state.offset);
        } catch (error) {
          if (error instanceof Refused || error instanceof Stopped || ++tries > TRIES) throw error;
          words.textContent = box.dataset.again;
          await this.pause(Math.min(500 * 2 ** tries, 15000));
          state = null; // ask the server where to go on
        }
      }
    }
    show(bytes) {
      const now = performance.now();
      this.marks.push([now, bytes]);
      while (this.marks.length > 2 && now - this.marks[0][0] > 5000) this.marks.shift();
      const [since, before] = this.marks[0];
      const rate = Math.max(0, bytes - before) / Math.max((now - since) / 1000, 0.1);
      const percent = Math.floor(100 * bytes / this.file.size);
      bar.value = percent;
      words.textContent = `${percent} % · ${amount(bytes)} / ${amount(this.file.size)} · ${amount(rate)}/s`;
    }
    stop() {
      this.stopped = true;
      this.end();
    }
    async leaveNothing() {
      const id = kept(this.file);
      forget(this.file);
      if (id) await this.ask("DELETE", `${box.dataset.parts}/${id}`).catch(() => {});
    }
  }

  form.addEventListener("submit", async (event) => {
    const file = picker.files[0];
    if (!file) return;
    event.preventDefault();
    const sending = new Sending(file);
    const leaving = (leave) => leave.preventDefault();
    window.addEventListener("beforeunload", leaving);
    stop.onclick = () => sending.stop();
    box.hidden = stop.hidden = false;
    button.disabled = true;
    try {
      upload.value = await sending.run();
      window.removeEventListener("beforeunload", leaving);
      stop.hidden = true;
      words.textContent = box.dataset.checking;
      picker.value = "";
      form.submit();
    } catch (error) {
      window.removeEventListener("beforeunload", leaving);
      if (error instanceof Stopped) await sending.leaveNothing();
      stop.hidden = true;
      button.disabled = false;
      words.textContent = error instanceof Stopped ? box.dataset.stopped
        : error instanceof Refused ? error.message : box.dataset.failed;
    }
  });
})();
