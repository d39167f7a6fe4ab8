// Takes away the table above a [data-take] button, as it stands in the page: CSV, TSV or
// JSON. Exact values (<data>) go before what is shown; numbers are written with a point,
// whatever the language; texts that a spreadsheet would carry out are escaped.
"use strict";
(() => {
  document.documentElement.dataset.script = "";
  const parts = new Intl.NumberFormat(document.documentElement.lang || "en").formatToParts(-12345.6);
  const part = (type) => parts.find((each) => each.type === type)?.value || "";
  const spaces = /[\s\u00a0\u202f]/g;
  const NUMBER = /^-?\d+(\.\d+)?(e[-+]?\d+)?$/;
  const FORMULA = /^[=+\-@\t\r\n]/;

  // What is no number stays as it is: dates, intervals, names.
  const plain = (text) => {
    const group = part("group").replace(spaces, "");
    let bare = text.replace(spaces, "").replaceAll("\u2212", "-").replace(/^\+/, "");
    if (group) bare = bare.replaceAll(group, "");
    bare = bare.replace(part("decimal"), ".");
    return NUMBER.test(bare) ? bare : text;
  };

  const neat = (text) => text.trim().replace(/\s+/g, " ");
  const read = (cell) => {
    const copy = cell.cloneNode(true);
    for (const aside of copy.querySelectorAll(".visually-hidden, [popover], button:not(.tip), input")) aside.remove();
    const below = [...copy.querySelectorAll(".sub")].map((each) => { each.remove(); return neat(each.textContent); }).join(" ");
    const exact = copy.querySelector("data")?.getAttribute("value");
    const value = exact || neat(copy.textContent);
    if (!cell.matches("td.number")) return [neat(`${value} ${below}`), ""];
    return [value === "\u2013" ? "" : plain(value), below];
  };

  // Intervals stand below their figures in the page, and beside them in the file.
  const rows = (table) => {
    const cells = [...table.rows].map((row) => [...row.cells].filter((cell) => !cell.classList.contains("no-print")).map(read));
    const beside = new Set(cells.flatMap((row) => row.flatMap(([, below], at) => (below ? [at] : []))));
    return cells.map((row, line) => row.flatMap(([value, below], at) => (beside.has(at) ? [value, line ? below : `${value} 95 %`] : [value])));
  };

  const quoted = (tab) => (value) => {
    const safe = FORMULA.test(value) && !NUMBER.test(value) ? `'${value}` : value;
    return safe.includes(tab) || /["\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };

  const json = ([heading, ...body]) => {
    const typed = (value) => (NUMBER.test(value) ? Number(value) : value);
    const items = body.filter((row) => row.length === heading.length).map((row) => Object.fromEntries(row.map((value, at) => [heading[at] || `column ${at + 1}`, typed(value)])));
    return JSON.stringify({ items }, null, 1);
  };

  const KINDS = { csv: ["text/csv", ","], tsv: ["text/tab-separated-values", "\t"], json: ["application/json", ""] };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-take]");
    if (!button) return;
    const [type, tab] = KINDS[button.dataset.take];
    const paragraph = button.closest("p");
    const found = rows(paragraph.previousElementSibling.querySelector("table"));
    const text = tab ? found.map((row) => `${row.map(quoted(tab)).join(tab)}\r\n`).join("") : json(found);
    const link = Object.assign(document.createElement("a"), {
      href: URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` })), download: `${paragraph.dataset.name}.${button.dataset.take}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });
})();
