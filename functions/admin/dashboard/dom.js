// Elements without markup in strings: whatever a key or a model is called stays text.

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === "data") {
      Object.assign(element.dataset, value);
    } else if (name === "width") {
      element.style.width = value;
    } else if (name === "color") {
      element.style.background = value;
    } else {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** Replaces what an element holds, and gives the focus back to the button that stands in its old place. */
export function fill(element, ...children) {
  const focused = element.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  element.replaceChildren(...children.flat(Infinity));
  if (focused) element.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}

/**
 * A table. Columns: `{title, cell, kind}`; the first names the row, `kind` is `number` or `act`.
 */
export function table(caption, columns, rows, empty) {
  if (rows.length === 0) return h("p", { class: "empty" }, empty);
  const head = columns.map(({ title, kind }) =>
    h("th", { scope: "col", class: kind === "number" ? "number" : null }, title || h("span", { class: "hidden" }, "Actions")),
  );
  const body = rows.map((row) =>
    h(
      "tr",
      {},
      columns.map(({ cell, kind }, index) =>
        index === 0 ? h("th", { scope: "row" }, cell(row)) : h("td", { class: kind ?? null }, cell(row)),
      ),
    ),
  );
  return h(
    "table",
    {},
    h("caption", { class: "hidden" }, caption),
    h("thead", {}, h("tr", {}, head)),
    h("tbody", {}, body),
  );
}

/** Tells those who do not see the page. */
export function say(text) {
  byId("spoken").textContent = text;
}

export function complain(text) {
  const notice = byId("notice");
  notice.textContent = text ?? "";
  notice.hidden = !text;
}
