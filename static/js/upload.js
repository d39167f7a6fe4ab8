// A form with a file is sent in the background, with its progress; the answer takes
// the page's place. Without this script the browser sends it as any form.
"use strict";
(() => {
  const sending = (form, box) => {
    const request = new XMLHttpRequest();
    const bar = box.querySelector("progress");
    const words = box.querySelector("[data-words]");
    const button = form.querySelector("[data-send]");
    let started = performance.now();
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      const seconds = (performance.now() - started) / 1000;
      const rate = event.loaded / Math.max(seconds, 0.1);
      const percent = Math.floor(100 * event.loaded / event.total);
      bar.value = percent;
      words.textContent = event.loaded < event.total
        ? `${percent} % · ${mega(event.loaded)} / ${mega(event.total)} · ${mega(rate)}/s`
        : box.dataset.checking;
    });
    const failed = (text) => {
      words.textContent = text;
      button.disabled = false;
      box.querySelector("[data-stop]").hidden = true;
    };
    request.addEventListener("load", () => {
      if (request.status === 200 && request.responseURL !== request.asked) { location.assign(request.responseURL); return; }
      const answer = new DOMParser().parseFromString(request.responseText, "text/html");
      const main = answer.getElementById("main");
      if (!main) { failed(box.dataset.failed); return; }
      document.getElementById("main").replaceWith(main);
      watch();
      const first = main.querySelector("[role=alert], [aria-invalid=true]");
      if (first) { first.setAttribute("tabindex", "-1"); first.focus(); }
    });
    request.addEventListener("error", () => failed(box.dataset.failed));
    request.addEventListener("abort", () => failed(box.dataset.stopped));
    box.querySelector("[data-stop]").onclick = () => request.abort();
    request.asked = new URL(form.getAttribute("action"), location.href).href;
    request.open("POST", request.asked);
    box.hidden = false;
    box.querySelector("[data-stop]").hidden = false;
    button.disabled = true;
    started = performance.now();
    request.send(new FormData(form));
  };
  const lang = document.documentElement.lang;
  const mega = (bytes) => {
    const giga = bytes >= 1e9;
    const value = giga ? bytes / 1e9 : bytes / 1e6;
    const unit = lang === "fr" ? (giga ? "Go" : "Mo") : (giga ? "GB" : "MB");
    return `${value.toLocaleString(lang, { maximumFractionDigits: value < 10 ? 1 : 0 })} ${unit}`;
  };
  const watch = () => {
    const form = document.querySelector("form[data-upload]");
    form?.addEventListener("submit", (event) => {
      const file = form.querySelector("input[type=file]");
      if (!file?.files.length) return;
      event.preventDefault();
      sending(form, document.getElementById("upload-progress"));
    });
  };
  watch();
})();
