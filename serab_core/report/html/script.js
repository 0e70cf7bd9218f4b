"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const percent = (value) => (100 * value).toFixed(1);

function element(name, words, attributes = {}) {
  const made = document.createElement(name);
  if (words !== undefined) made.textContent = words;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/* Sorting: a click on a column's head, once down, again up. */
for (const button of document.querySelectorAll("table.board thead button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th");
    const place = [...head.parentNode.children].indexOf(head);
    const down = head.getAttribute("aria-sort") !== "descending";
    for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = head.closest("table").tBodies[0];
    const key = (row) => row.children[place].dataset.sort;
    const rows = [...body.rows].sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x === "" || y === "") return (x === "") - (y === "");
      const order = isNaN(x) || isNaN(y) ? x.localeCompare(y) : Number(x) - Number(y);
      return down ? -order : order;
    });
    body.append(...rows);
  });
}

/* Filtering by name, and by metric. */
const filter = document.getElementById("filter");
const shown = document.getElementById("shown");
filter?.addEventListener("input", () => {
  const words = filter.value.toLowerCase().split(/[\s,]+/).filter(Boolean);
  const names = new Set();
  for (const row of document.querySelectorAll("table.board tbody tr")) {
    const fits = words.length === 0 || words.some((word) => row.dataset.name.toLowerCase().includes(word));
    row.hidden = !fits;
    if (fits) names.add(row.dataset.name);
  }
  shown.textContent = `${names.size} shown`;
});
document.getElementById("metric")?.addEventListener("change", (event) => {
  for (const table of document.querySelectorAll("table.board")) table.hidden = table.dataset.metric !== event.target.value;
});

/* Light or dark, until the page is closed. */
document.getElementById("theme")?.addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});

/* A cell's story: how the number came about. */
const dialog = document.getElementById("cell");
for (const button of document.querySelectorAll("button.cell")) {
  button.addEventListener("click", () => {
    fill(data.cells[button.dataset.cell]);
    dialog.showModal();
  });
}
dialog?.querySelector(".close").addEventListener("click", () => dialog.close());
dialog?.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

/* Values in words: name and value, one after the other; what is nested in them as JSON. */
function worded(value) {
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return value.join(", ");
  return Object.entries(value)
    .map(([name, own]) => `${name} ${own !== null && typeof own === "object" ? JSON.stringify(own) : own}`)
    .join(", ");
}

function pairs(rows) {
  const list = element("dl");
  for (const [name, value] of rows) {
    if (value === undefined || value === null || value === "") continue;
    list.append(element("dt", name), element("dd", worded(value)));
  }
  return list;
}

function fill(cell) {
  const [extractor, dataset, made] = [data.extractors[cell.extractor], data.datasets[cell.dataset], data.made[cell.made]];
  dialog.querySelector("h2").textContent = `${cell.name} on ${cell.task}`;
  const body = dialog.querySelector(".body");
  const reach = (own) => `${percent(own.value)} % (${percent(own.low)} to ${percent(own.high)}, over ${own.groups} ${own.over}${own.method === "beta-binomial" ? ", by a model" : ""})`;
  body.replaceChildren(
    pairs([
      ["Accuracy", reach(cell.accuracy)], ["UAR", reach(cell.uar)], ["Macro-F1", `${percent(cell.macro_f1)} %`],
      ["Classifier", `${cell.chosen} ${cell.params}`], ["Utterances", cell.counts], ["Cautions", cell.cautions.join("; ")],
      ["Imported", cell.imported], ["Result", cell.key],
    ]),
    element("h3", "Classifiers"), classifiers(cell), element("h3", "Confusion on test, % of the row"), confusion(cell),
    ...(cell.profile.length ? [element("h3", "Where the time went"), profile(cell)] : []),
    element("h3", "Where it comes from"),
    pairs([
      ["Summary", extractor.summary], ["Licence", extractor.licence], ["Fingerprint", extractor.fingerprint],
      ["Corpus", dataset], ["Protocol", made.protocol], ["Seeds", made.seeds], ["serab", made.serab], ["Python", made.python],
      ["Libraries", made.libraries], ["Plugins", made.plugins], ["Command", made.command], ["Machine", made.machine],
    ]),
  );
}

function classifiers(cell) {
  const table = element("table");
  const head = table.createTHead().insertRow();
  for (const name of ["Classifier", "Validation %", "Test acc. %", "Test UAR %"]) head.append(element("th", name, { scope: "col" }));
  const body = table.createTBody();
  for (const own of cell.classifiers) {
    const row = body.insertRow();
    row.append(element("th", own.title + (own.title === cell.chosen ? " (chosen)" : ""), { scope: "row" }));
    for (const value of [own.validation, own.accuracy, own.uar]) row.append(element("td", value === null ? "-" : percent(value)));
  }
  const box = element("div", undefined, { class: "scroll", tabindex: "0", role: "region", "aria-label": "Classifiers" });
  box.append(table);
  return box;
}

function profile(cell) {
  const table = element("table");
  const head = table.createTHead().insertRow();
  for (const name of ["Stage", "Seconds", "Share"]) head.append(element("th", name, { scope: "col" }));
  const whole = cell.profile.reduce((sum, [, seconds]) => sum + seconds, 0) || 1;
  const body = table.createTBody();
  for (const [name, seconds] of cell.profile) {
    const row = body.insertRow();
    row.append(element("th", name, { scope: "row" }), element("td", seconds.toFixed(2)));
    const share = element("td", `${((100 * seconds) / whole).toFixed(0)} %`, { class: "share" });
    share.style.setProperty("--v", (100 * seconds) / whole);
    row.append(share);
  }
  const box = element("div", undefined, { class: "scroll", tabindex: "0", role: "region", "aria-label": "Time by stage" });
  box.append(table);
  return box;
}

function confusion(cell) {
  const table = element("table");
  const head = table.createTHead().insertRow();
  head.append(element("th", "said \\ told", { scope: "col" }));
  for (const label of cell.labels) head.append(element("th", label, { scope: "col" }));
  const body = table.createTBody();
  cell.confusion.forEach((counts, row) => {
    const line = body.insertRow();
    line.append(element("th", cell.labels[row], { scope: "row" }));
    const whole = counts.reduce((sum, count) => sum + count, 0);
    counts.forEach((count, column) => {
      const share = whole ? (100 * count) / whole : 0;
      const box = element("td", count ? share.toFixed(0) : "", { class: "share", title: `${count} of ${whole}` });
      box.style.setProperty("--v", share);
      if (row !== column) box.style.setProperty("--tone", "var(--second)");
      line.append(box);
    });
  });
  const box = element("div", undefined, { class: "scroll", tabindex: "0", role: "region", "aria-label": "Confusion matrix" });
  box.append(table);
  return box;
}

/* Copying citations. */
for (const button of document.querySelectorAll("button.copy")) {
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.from).textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(document.getElementById(button.dataset.from));
      button.textContent = "Selected: press Ctrl+C";
    }
  });
}
