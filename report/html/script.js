"use strict";
// Adds what needs a script to a page that says everything without one: sorting, filtering, opening all details.
(function () {
  const all = (root, what) => Array.from(root.querySelectorAll(what));
  const make = (name, text) => {
    const e = document.createElement(name);
    if (text) e.textContent = text;
    return e;
  };

  // --- sorting: a button in each head of a column
  const keyOf = (row, column) => {
    const cell = row.cells[column];
    if (!cell) return "";
    return cell.dataset.v === undefined ? cell.textContent.trim() : BigInt(cell.dataset.v);
  };
  const compare = (a, b) => {
    if (typeof a !== typeof b) return typeof a === "bigint" ? -1 : 1;
    return a < b ? -1 : a > b ? 1 : 0;
  };
  const sortBy = (table, head, column) => {
    const down = head.getAttribute("aria-sort") === "ascending";
    const body = table.tBodies[0];
    const rows = Array.from(body.rows).map((row, at) => ({ row, at, key: keyOf(row, column) }));
    rows.sort((a, b) => (down ? compare(b.key, a.key) : compare(a.key, b.key)) || a.at - b.at);
    for (const r of rows) body.append(r.row);
    for (const other of all(table, "thead th")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
  };
  for (const table of all(document, "table.sortable")) {
    all(table, "thead th").forEach((head, column) => {
      const button = make("button", head.textContent);
      button.type = "button";
      button.title = "Sort by this column";
      button.addEventListener("click", () => sortBy(table, head, column));
      head.replaceChildren(button);
    });
  }

  // --- filtering of alerts
  const tools = document.getElementById("tools");
  const groups = all(document, "section.rule");
  if (tools && groups.length) {
    const label = make("label", "Show alerts with ");
    const search = make("input");
    const open = make("button", "Open all details");
    const close = make("button", "Close all");
    const told = make("span");
    search.type = "search";
    search.setAttribute("autocomplete", "off");
    open.type = close.type = "button";
    told.setAttribute("role", "status");
    label.append(search);
    tools.append(label, open, close, told);
    const filter = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      let total = 0;
      for (const group of groups) {
        const name = group.querySelector("h3").textContent.toLowerCase();
        let here = 0;
        for (const row of all(group, "tr.alert")) {
          const text = name + " " + row.textContent.toLowerCase();
          row.hidden = !words.every((w) => text.includes(w));
          here += row.hidden ? 0 : 1;
          total += 1;
        }
        group.hidden = words.length > 0 && here === 0;
        shown += here;
      }
      told.textContent = words.length ? shown + " of the " + total + " alerts on this page" : "";
    };
    search.addEventListener("input", filter);
    const openAll = (yes) => {
      for (const d of all(document, "section.rule details")) d.open = yes;
    };
    open.addEventListener("click", () => openAll(true));
    close.addEventListener("click", () => openAll(false));
    tools.hidden = false;
  }

  // --- a link into closed details opens them; so does printing, and heads with buttons would not be printed on each page
  const reveal = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    for (let e = target; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
    if (target) target.scrollIntoView();
  };
  window.addEventListener("hashchange", reveal);
  reveal();
  let opened = [];
  let buttons = [];
  window.addEventListener("beforeprint", () => {
    opened = all(document, "details:not([open])");
    for (const d of opened) d.open = true;
    buttons = all(document, "thead button").map((button) => ({ button, head: button.parentElement }));
    for (const b of buttons) b.head.replaceChildren(b.button.textContent);
  });
  window.addEventListener("afterprint", () => {
    for (const d of opened) d.open = false;
    for (const b of buttons) b.head.replaceChildren(b.button);
  });
})();
