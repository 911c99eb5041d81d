// Sorts a table by a column, its groups each by itself. Without it the page is complete, in the order of the report.
const unit = { k: 1e3, M: 1e6, G: 1e9, T: 1e12, s: 1, min: 60, h: 3600 };
const worth = text => {
  const found = [...text.replaceAll("\u2212", "-").matchAll(/([-+]?\d*\.?\d+)\s?(k|M|G|T|s|min|h)?(?![\w.])/g)];
  if (!found.length || /[a-z]/i.test(text[0])) return null;
  const times = found.filter(([, , name]) => ["s", "min", "h"].includes(name));
  return (times.length ? times : found.slice(0, 1)).reduce((sum, [, n, name]) => sum + n * (unit[name] ?? 1), 0);
};
const order = (a, b) => a.value !== null && b.value !== null ? a.value - b.value : a.text.localeCompare(b.text);
const sort = (table, column, sign) => {
  const groups = [[]];
  for (const row of table.tBodies[0].rows) row.classList.contains("axis") ? groups.push([row], []) : groups.at(-1).push(row);
  for (const rows of groups) {
    const keyed = rows.map(row => {
      const text = row.cells[column]?.textContent.trim() ?? "";
      return { row, text, value: worth(text), none: text === "" || text === "\u2013" };
    });
    keyed.sort((a, b) => a.none - b.none || sign * order(a, b));
    table.tBodies[0].append(...keyed.map(({ row }) => row));
  }
};
for (const table of document.querySelectorAll("table")) {
  if (table.tBodies[0].rows.length < 3) continue;
  [...table.tHead.rows[0].cells].forEach((head, column, heads) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      sort(table, column, down ? -1 : 1);
    });
  });
}
