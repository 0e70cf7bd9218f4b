"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const percent = (value) => (100 * value).toFixed(1);

function element(name, text, attributes = {}) {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = text;
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

/* Sorting: the first click on a column's head sorts in descending order, the next in ascending order. */
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
  const fragments = filter.value.toLowerCase().split(/[\s,]+/).filter(Boolean);
  const names = new Set();
  for (const row of document.querySelectorAll("table.board tbody tr")) {
    const fits = fragments.length === 0 || fragments.some((fragment) => row.dataset.name.toLowerCase().includes(fragment));
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

/* The dialog with the details and the provenance of a score. */
const dialog = document.getElementById("cell");
for (const button of document.querySelectorAll("button.cell")) {
  button.addEventListener("click", () => {
    fill(data.cells[button.dataset.cell]);
    dialog.showModal();
  });
}
dialog?.querySelector(".close").addEventListener("click", () => dialog.close());
dialog?.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

/* Values as text: names with values; nested values as JSON. */
function plainText(value) {
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return value.join(", ");
  return Object.entries(value)
    .map(([name, entry]) => `${name} ${entry !== null && typeof entry === "object" ? JSON.stringify(entry) : entry}`)
    .join(", ");
}

function pairs(rows) {
  const list = element("dl");
  for (const [name, value] of rows) {
    if (value === undefined || value === null || value === "") continue;
    list.append(element("dt", name), element("dd", plainText(value)));
  }
  return list;
}

function fill(cell) {
  const [extractor, dataset, origin] = [data.extractors[cell.extractor], data.datasets[cell.dataset], data.made[cell.made]];
  dialog.querySelector("h2").textContent = `${cell.name} on ${cell.task}`;
  const body = dialog.querySelector(".body");
  const number = (score, value) => (score.percent ? percent(value) : value.toFixed(3));
  const scoreText = (score) => {
    const value = `${number(score, score.value)}${score.percent ? " %" : ""}`;
    if (score.low === undefined) return value;
    const model = score.method === "beta-binomial" ? ", by a model" : "";
    return `${value} (${number(score, score.low)} to ${number(score, score.high)}, over ${score.groups} ${score.over}${model})`;
  };
  body.replaceChildren(
    pairs([
      ...cell.scores.map((score) => [score.title, scoreText(score)]),
      ["Classifier", `${cell.chosen} ${cell.params}`], ["Choice", cell.choice], ["Over seeds", cell.seeds], ["Utterances", cell.counts], ["Cautions", cell.cautions.join("; ")],
      ["Imported", cell.imported], ["Result", cell.key],
    ]),
    element("h3", "Classifiers"), classifiers(cell),
    ...(cell.folds.length ? [element("h3", "Folds"), folds(cell)] : []),
    ...(cell.confusion ? [element("h3", "Confusion on test, % of the row"), confusion(cell), element("h3", "Recall"), recalls(cell)] : []),
    ...(cell.profile.length ? [element("h3", "Time by phase"), profile(cell)] : []),
    element("h3", "Provenance"),
    pairs([
      ["Summary", extractor.summary], ["Licence", extractor.licence], ["Fingerprint", extractor.fingerprint],
      ["Corpus", dataset], ["Protocol", origin.protocol], ["Seeds", origin.seeds], ["serab", origin.serab], ["Python", origin.python],
      ["Libraries", origin.libraries], ["Plugins", origin.plugins], ["Command", origin.command], ["Machine", origin.machine],
    ]),
  );
}

function classifiers(cell) {
  const table = element("table");
  const head = table.createTHead().insertRow();
  const shown = cell.confusion
    ? [["Validation %", "validation"], ["Test acc. %", "accuracy"], [`Test ${cell.recall.head}`, cell.recall.name]]
    : [["Validation CCC", "validation"], ["Test CCC", "ccc"], ["Test Pearson", "pearson"]];
  const text = (value) => (cell.confusion ? percent(value) : value.toFixed(3));
  for (const name of ["Classifier", ...shown.map(([title]) => title)]) head.append(element("th", name, { scope: "col" }));
  const body = table.createTBody();
  for (const outcome of cell.classifiers) {
    const row = body.insertRow();
    row.append(element("th", outcome.title + (outcome.title === cell.chosen ? " (chosen)" : ""), { scope: "row" }));
    for (const [, key] of shown) row.append(element("td", outcome[key] === null ? "-" : text(outcome[key])));
  }
  const box = element("div", undefined, { class: "scroll", tabindex: "0", role: "region", "aria-label": "Classifiers" });
  box.append(table);
  return box;
}

function folds(cell) {
  const table = element("table");
  const head = table.createTHead().insertRow();
  const shown = cell.confusion ? [["Acc. %", "accuracy"], ["UAR %", "uar"]] : [["CCC", "ccc"], ["Pearson", "pearson"]];
  const text = (value) => (value === null ? "-" : cell.confusion ? percent(value) : value.toFixed(3));
  for (const name of ["Fold", "Classifier", ...shown.map(([title]) => title)]) head.append(element("th", name, { scope: "col" }));
  const body = table.createTBody();
  for (const fold of cell.folds) {
    const row = body.insertRow();
    row.append(element("th", fold.name, { scope: "row" }), element("td", fold.chosen));
    for (const [, key] of shown) row.append(element("td", text(fold[key])));
  }
  const box = element("div", undefined, { class: "scroll", tabindex: "0", role: "region", "aria-label": "Folds" });
  box.append(table);
  return box;
}

function profile(cell) {
  const table = element("table");
  const head = table.createTHead().insertRow();
  for (const name of ["Phase", "Seconds", "Share"]) head.append(element("th", name, { scope: "col" }));
  const whole = cell.profile.reduce((sum, [, seconds]) => sum + seconds, 0) || 1;
  const body = table.createTBody();
  for (const [name, seconds] of cell.profile) {
    const row = body.insertRow();
    row.append(element("th", name, { scope: "row" }), element("td", seconds.toFixed(2)));
    const share = element("td", `${((100 * seconds) / whole).toFixed(0)} %`, { class: "share" });
    share.style.setProperty("--v", (100 * seconds) / whole);
    row.append(share);
  }
  const box = element("div", undefined, { class: "scroll", tabindex: "0", role: "region", "aria-label": "Time by phase" });
  box.append(table);
  return box;
}

function confusion(cell) {
  const table = element("table");
  const head = table.createTHead().insertRow();
  head.append(element("th", "true \\ predicted", { scope: "col" }));
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

/* The recall and the precision of each class. */
function recalls(cell) {
  return pairs(cell.labels.map((label, place) => {
    const hits = cell.confusion[place][place];
    const of = cell.confusion[place].reduce((sum, count) => sum + count, 0);
    const predicted = cell.confusion.reduce((sum, row) => sum + row[place], 0);
    const recall = of ? `${percent(hits / of)} %` : "not in the test split";
    return [label, `${recall} (${hits} of ${of}); precision ${predicted ? `${percent(hits / predicted)} %` : "-"}`];
  }));
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
