// Small things of every page: select that submits, confirmation, parts that renew themselves.
"use strict";
(() => {
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
  });

  // On a narrow screen, where in the portal this is may be beyond the edge.
  document.querySelector(".nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

  // One menu at a time; Escape and a click elsewhere close it.
  const menus = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", (event) => {
    for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of menus()) { menu.open = false; menu.querySelector("summary").focus(); }
  });

  // A form with data-confirm asks first, in the page's own dialog.
  const dialog = document.getElementById("confirm");
  let asking = null;
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.dataset.confirm || !dialog) return;
    event.preventDefault();
    asking = form;
    dialog.querySelector("[data-question]").textContent = form.dataset.confirm;
    const yes = dialog.querySelector("[data-yes]");
    yes.textContent = form.dataset.confirmYes || yes.dataset.label;
    dialog.showModal();
  });
  dialog?.addEventListener("close", () => {
    if (dialog.open) return; // the event comes late: the next question is open already
    const form = asking;
    asking = null;
    const yes = dialog.returnValue === "yes";
    dialog.returnValue = "";
    if (form && yes) form.submit();
  });

  // A part with data-renew (seconds) is fetched again from data-renew-url until the
  // server sends it without; it waits while hidden, while the
  // focus is inside, and while a question about it is open.
  const announcer = document.getElementById("announcer");
  const said = new Map();
  const announce = (part) => {
    const text = part.querySelector("[data-announce]")?.textContent.trim() || "";
    if (announcer && said.get(part.id) !== undefined && said.get(part.id) !== text) announcer.textContent = text;
    said.set(part.id, text);
  };
  const keepOpen = (from, to) => {
    for (const details of from.querySelectorAll("details[open][id]")) {
      const same = to.querySelector(`#${CSS.escape(details.id)}`);
      if (same) same.open = true;
    }
  };
  const busy = (part) => document.hidden || dialog?.open || part.contains(document.activeElement);
  const renew = async (part, force) => {
    if (busy(part) && !force) return true;
    const answer = await fetch(part.dataset.renewUrl, { credentials: "same-origin" });
    if (answer.redirected || answer.status === 403) { location.reload(); return false; }
    if (!answer.ok) return true;
    const box = document.createElement("template");
    box.innerHTML = await answer.text();
    const fresh = box.content.querySelector(`#${CSS.escape(part.id)}`);
    if (!fresh || (busy(part) && !force)) return true;
    for (const along of box.content.querySelectorAll("[data-along]")) {
      const here = document.getElementById(along.id);
      if (here) here.innerHTML = along.innerHTML;
    }
    if (fresh.innerHTML !== part.innerHTML) { keepOpen(part, fresh); part.innerHTML = fresh.innerHTML; announce(part); document.dispatchEvent(new CustomEvent("vcbench:renewed")); }
    if (!fresh.dataset.renew) {
      delete part.dataset.renew;
      document.dispatchEvent(new CustomEvent("vcbench:settled", { detail: { part: part.id } }));
    }
    return Boolean(fresh.dataset.renew);
  };
  for (const part of document.querySelectorAll("[data-renew]")) {
    announce(part);
    const again = () => setTimeout(async () => {
      if (await renew(part, false).catch(() => true)) again();
    }, 1000 * Number(part.dataset.renew));
    again();
    // The live log knows first when a run changes.
    document.addEventListener("vcbench:run-changed", () => { if (part.dataset.renew) renew(part, false).catch(() => {}); });
  }

  // What a run has brought is on the page once it has ended.
  document.addEventListener("vcbench:settled", (event) => {
    const results = document.querySelector(`[data-after="${CSS.escape(event.detail.part)}"]`);
    if (results?.dataset.renewUrl) renew(results, true).catch(() => {});
  });
})();
