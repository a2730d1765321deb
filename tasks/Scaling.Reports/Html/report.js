"use strict";
(() => {
  const glossary = JSON.parse(document.getElementById("glossary").textContent);

  // Tables sort by the column whose header is pressed: numbers with their prefix and unit, an interval by its lower end, what is absent last.
  const factors = { T: 1e12, B: 1e9, M: 1e6, k: 1e3, ms: 1e-3, "µs": 1e-6 };
  const numberOf = text => {
    const found = /^[^\d−+-]*([+−-]?\d[\d.]*(?:e[−-]?\d+)?)\s*(µs|ms|[TBMk](?![a-z]))?/.exec(text);
    return found ? Number(found[1].replace("−", "-")) * (factors[found[2]] ?? 1) : NaN;
  };
  for (const table of document.querySelectorAll("table.sorts")) {
    const body = table.tBodies[0];
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      if (head.tagName !== "TH" || body.rows.length < 2) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const byNumber = head.classList.contains("n");
        const keyed = [...body.rows].map(row => {
          const text = row.cells[column].textContent.trim();
          return { row, key: byNumber ? numberOf(text) : text };
        });
        const absent = key => byNumber ? Number.isNaN(key) : key === "" || key === "–";
        keyed.sort((a, b) => absent(a.key) - absent(b.key)
          || (absent(a.key) ? 0 : (down ? -1 : 1) * (byNumber ? a.key - b.key : a.key.localeCompare(b.key, "en", { numeric: true }))));
        body.append(...keyed.map(k => k.row));
      });
    });
  }

  // Points of a figure tell what they are: the row of the figure's data, by pointer, touch or arrow keys.
  const records = csv => {
    const rows = [[]];
    for (const [, quoted, bare, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
      rows.at(-1).push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
      if (end === "") break;
      if (end !== ",") rows.push([]);
    }
    return rows.filter(row => row.length > 1);
  };
  const tip = document.querySelector(".tip");
  const line = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
  const hides = [];
  for (const figure of document.querySelectorAll("figure")) {
    const svg = figure.querySelector("svg[role=img]");
    const points = [...svg.querySelectorAll(".p")].flatMap(group => [...group.children].map((mark, i) => ({
      x: Number(mark.getAttribute("x")), y: Number(mark.getAttribute("y")), row: Number(group.dataset.row) + i,
    })));
    if (points.length === 0) continue;
    let data = null, shown = -1, ring = null;
    const hide = () => { tip.hidden = true; shown = -1; ring?.remove(); };
    const show = index => {
      if (index === shown) return;
      hides.forEach(other => { if (other !== hide) other(); });
      data ??= records(decodeURIComponent(figure.querySelector("a[download]").href.replace(/^[^,]*,/, "")));
      shown = index;
      const { x, y, row } = points[index], [columns, cells] = [data[0], data[row + 1]];
      const cell = name => { const at = columns.indexOf(name); return at < 0 ? "" : cells[at]; };
      const lines = [line("b", [cell("label"), cell("series")].filter(Boolean).join(" · "))];
      if (glossary[cell("label")]) lines.push(line("span", glossary[cell("label")]));
      const ends = (low, high) => cell(low) && cell(high) ? ` (${cell(low)} … ${cell(high)})` : "";
      const axes = columns.filter(c => !["series", "label", "low", "high", "left", "right"].includes(c));
      axes.forEach((axis, i) => lines.push(line("span", `${axis}: ${cell(axis)}${i === 0 ? ends("left", "right") : ends("low", "high")}`)));
      tip.replaceChildren(...lines.filter(l => l.textContent));
      tip.hidden = false;
      tip.style.left = "0"; // As wide as its text wants to be, wherever it stood.
      ring?.remove();
      ring = document.createElementNS("http://www.w3.org/2000/svg", "circle");
      for (const [name, value] of Object.entries({ cx: x, cy: y, r: 7, class: "here" })) ring.setAttribute(name, value);
      svg.append(ring);
      const at = ring.getBoundingClientRect(), size = tip.getBoundingClientRect();
      const left = at.right + 8 + size.width < document.documentElement.clientWidth ? at.right + 8 : at.left - 8 - size.width;
      tip.style.left = `${scrollX + Math.max(4, Math.min(left, document.documentElement.clientWidth - size.width - 4))}px`;
      const below = left < 4; // Beside the point there is no room, on a phone: below it then, or above.
      const top = below ? (at.bottom + 8 + size.height < innerHeight ? at.bottom + 8 : at.top - 8 - size.height) : at.top - size.height / 3;
      tip.style.top = `${scrollY + Math.max(4, Math.min(top, innerHeight - size.height - 4))}px`; // In the page, so that it scrolls with its point.
    };
    const nearest = event => {
      const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      let best = -1, least = 16 ** 2; // Pixels of the drawing.
      points.forEach((p, i) => {
        const distance = (p.x - place.x) ** 2 + (p.y - place.y) ** 2;
        if (distance <= least) [best, least] = [i, distance]; // Of equal ones the last: it lies on top.
      });
      return best;
    };
    const follow = event => { const index = nearest(event); index < 0 ? hide() : show(index); };
    svg.addEventListener("pointermove", follow);
    svg.addEventListener("pointerdown", follow);
    svg.addEventListener("pointerleave", event => { if (event.pointerType === "mouse") hide(); }); // A finger leaves when it lifts: what it showed stays until the next tap.
    hides.push(hide);
    svg.addEventListener("blur", hide);
    svg.addEventListener("keydown", event => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") hide();
      if (!step) return;
      event.preventDefault();
      show(shown < 0 ? (step > 0 ? 0 : points.length - 1) : (shown + step + points.length) % points.length);
    });
  }
  addEventListener("resize", () => hides.forEach(hide => hide()));
  addEventListener("pointerdown", event => { if (!event.target.closest?.("svg[role=img]")) hides.forEach(hide => hide()); });

  // Paper shows what is folded.
  let opened = [];
  addEventListener("beforeprint", () => { opened = [...document.querySelectorAll("details:not([open])")]; opened.forEach(d => { d.open = true; }); });
  addEventListener("afterprint", () => opened.forEach(d => { d.open = false; }));
})();
